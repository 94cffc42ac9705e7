import Testing

/// Every suite of this target is nested here: they share the number of threads and the instruction
/// set, and so run one after the other.
@Suite(.serialized) struct NetworksTests {}
