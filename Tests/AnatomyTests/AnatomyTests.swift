import Testing

@Suite struct AnatomyPlaceholder {}
