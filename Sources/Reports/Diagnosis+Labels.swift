import Imaging

extension LabelTableError: Diagnosable {
  package var diagnosis: Diagnosis {
    let place: String
    switch (file, line) {
    case (let file?, let line?): place = "\(file), line \(line): "
    case (let file?, nil): place = "\(file): "
    case (nil, let line?): place = "label table, line \(line): "
    case (nil, nil): place = "label table: "
    }
    let (message, hint) = words
    return Diagnosis(place + message, hint: hint, status: status)
  }

  private var status: ExitStatus {
    switch problem {
    case .missingFile, .isFolder, .unreadable: .noInput
    default: .badData
    }
  }

  private var words: (message: String, hint: String?) {
    switch problem {
    // The file.
    case .missingFile: ("no such file", "Check the path of the label table.")
    case .isFolder: ("is a folder, not a label table", "Name the file in it.")
    case .unreadable(let reason): ("cannot be read: \(reason)", "Check its permissions.")
    case .tooLarge(_, let limit):
      ("larger than \(limit >> 20) MiB", "This is no label table; was another file meant?")
    case .notText(let byte):
      ("byte \(byte) is no UTF-8 text", "Save the table as UTF-8 text, or name another file.")
    case .unknownFormat:
      (
        "not a label table of any known format",
        "Known are TSV with columns index and name, FreeSurfer, FastSurfer and ITK-SNAP tables."
      )

    // Rows and columns.
    case .noLabels: ("holds no labels", "Give at least one label.")
    case .missingColumn(let name):
      ("there is no column '\(name)'", "The columns index and name must be there.")
    case .repeatedColumn(let name): ("there are two columns '\(name)'", "Remove one of them.")
    case .fieldCount(let found, let expected):
      ("\(found) fields found, expected \(expected)", "Write n/a for a missing value.")
    case .notANumber(let column, let text):
      ("'\(text)' found in column \(column), expected a whole number", nil)
    case .notAColor(let text):
      ("'\(text)' found as color, expected #rrggbb", "An example of a colour is #cd3e4e.")

    // Labels.
    case .colorOutOfRange(let channel, let value):
      ("colour channel \(channel) is \(value), expected 0 to 255", nil)
    case .negativeIndex(let value):
      ("label value \(value) found, expected 0 or above", "Label maps hold no negative values.")
    case .indexTooLarge(let value):
      ("label value \(value) found, expected at most \(Int32.max)", nil)
    case .emptyName: ("a label has no name", "Give each label a name.")
    case .controlCharacter(let text):
      ("'\(text)' holds a control character", "Remove tabs and the like from names.")
    case .repeatedValue(let value, let first, let line):
      (
        "label value \(value) already stands for '\(first)'"
          + (line.map { " (line \($0))" } ?? ""),
        "Each value, merged ones too, may stand for one label only."
      )
    case .mappingOutOfRange(let value):
      ("mapping \(value) found, expected 0 to 11 (BIDS tissue numbers)", nil)
    case .backgroundHasPartner:
      ("background (value 0) has a partner", "Only structures have another side.")
    case .backgroundMerged(let name):
      ("value 0 is merged into '\(name)'", "0 is background; remove it from the sources.")
    case .unpairedPartner(let label, let partner):
      (
        "label \(label) names \(partner) as its partner, which does not name it back",
        "Partners come in twos, each naming the other."
      )
    }
  }
}
