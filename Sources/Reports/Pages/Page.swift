import Mustache

/// A page as one file: no network, no scripts, nothing beside it.
enum Page {
  /// Renders a template with a content and puts it into the frame that all pages share.
  ///
  /// - Throws: `PageError`.
  static func encoded(title: String, template: String, _ content: Any) throws -> [UInt8] {
    do {
      let body = try MustacheTemplate(string: template).render(content)
      let frame = Frame(title: title, version: Version.current, body: body)
      return Array(try MustacheTemplate(string: Frame.template).render(frame).utf8)
    } catch let error as MustacheTemplate.ParserError {
      throw PageError(reason: "\(error)")
    }
  }

  private struct Frame {
    let title: String
    let version: String
    let body: String

    // The generator comes first: within the first KiB, by which a file is known as our own.
    static let template = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="generator" content="segpipe {{version}}">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>{{title}}</title>
      <style>
      body { font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; color: #222; background: #fff;
        max-width: 1240px; margin: 0 auto; padding: 0 16px 48px; }
      h1 { font-size: 24px; margin: 24px 0 8px; overflow-wrap: anywhere; }
      h2 { font-size: 19px; margin: 32px 0 8px; border-bottom: 1px solid #ccc; }
      nav a { margin-right: 14px; }
      a { color: #0b5394; }
      table { border-collapse: collapse; margin: 8px 0; }
      th, td { text-align: left; padding: 3px 12px 3px 0; vertical-align: top;
        border-bottom: 1px solid #eee; overflow-wrap: anywhere; }
      th { border-bottom: 2px solid #ccc; }
      td.number, th.number { text-align: right; white-space: nowrap; }
      td.name { white-space: nowrap; }
      .verdict { font-weight: bold; white-space: nowrap; padding: 1px 8px; border-radius: 4px; }
      .pass { background: #d9ead3; color: #1e4d12; }
      .warn { background: #fff2cc; color: #6b4a00; }
      .fail { background: #f4cccc; color: #7a0000; }
      .note { color: #666; }
      .scroll { overflow-x: auto; }
      img { max-width: 100%; height: auto; background: #000; }
      svg { vertical-align: middle; }
      pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f6f6; padding: 8px; }
      </style>
      </head>
      <body>
      {{{body}}}
      <p class="note">Made by segpipe {{version}}.</p>
      </body>
      </html>

      """
  }
}

/// A template of ours that Mustache does not take.
package struct PageError: Error, Equatable {
  package let reason: String
}

extension PageError: Diagnosable {
  package var diagnosis: Diagnosis {
    Diagnosis("a page could not be made: \(reason)", status: .internalError)
  }
}
