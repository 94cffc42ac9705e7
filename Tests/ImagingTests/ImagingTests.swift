import Testing

@Suite struct ImagingPlaceholder {}
