import Testing

extension Tag {
    /// Takes many seconds: load, or much data.
    @Tag static var long: Self
}
