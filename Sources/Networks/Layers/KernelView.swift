/// A C structure of pointers that a kernel reads from several threads; valid as long as what it
/// points at.
struct KernelView<Value>: @unchecked Sendable {
  let value: Value
}
