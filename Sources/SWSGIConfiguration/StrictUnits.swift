// Times and sizes of options: a whole number, and a unit that may follow it.

/// Units of time, in microseconds.
enum TimeUnit: Int64, CaseIterable {
    case milliseconds = 1000
    case seconds = 1_000_000
    case minutes = 60_000_000
    case hours = 3_600_000_000

    var suffix: String {
        switch self {
        case .milliseconds: "ms"
        case .seconds: "s"
        case .minutes: "min"
        case .hours: "h"
        }
    }
}

/// Reads a time as microseconds.
///
/// A bare number counts in `bare`; `ms`, `s`, `min` and `h` may follow. 0 is always allowed.
func strictTime(
    _ text: String,
    in range: ClosedRange<Int64>,
    bare: TimeUnit = .seconds,
    option: String
) throws(Problem) -> Int64 {
    if let number = scaled(text, TimeUnit.allCases.map { ($0.suffix, $0.rawValue) }, bare: bare.rawValue),
        number == 0 || range.contains(number)
    {
        return number
    }
    let unit = bare == .milliseconds ? "milliseconds" : "seconds"
    throw Problem(
        .numberInvalid,
        "\(DaemonProcessOptions.directive): \(option) must be 0 or a time from \(timeText(range.lowerBound)) to \(timeText(range.upperBound)), in \(unit) or with ms, s, min or h, not '\(text)'"
    )
}

/// Reads a size as bytes.
///
/// `K`, `M` and `G` may follow. 0, the default, is always allowed.
func strictBytes(_ text: String, in range: ClosedRange<Int64>, option: String) throws(Problem) -> Int64 {
    let units: [(String, Int64)] = [("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)]
    if let number = scaled(text, units, bare: 1), number == 0 || range.contains(number) { return number }
    throw Problem(
        .numberInvalid,
        "\(DaemonProcessOptions.directive): \(option) must be 0 or \(range.lowerBound) to \(range.upperBound) bytes, or a number with K, M or G, not '\(text)'"
    )
}

/// The argument of `WSGISlowRequests`, as microseconds.
public func slowRequestTime(_ text: String) throws(Problem) -> Int64 {
    guard let time = secondsWithFraction(text) else {
        throw Problem(
            .numberInvalid,
            "WSGISlowRequests: must be 0 to 86400 seconds, with a fraction of up to six digits, not '\(text)'"
        )
    }
    return time
}

/// Reads seconds with a fraction of up to six digits, as microseconds; nil: it is no such number, or over a day.
private func secondsWithFraction(_ text: String) -> Int64? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, let seconds = Int64(decimal: whole), seconds <= 86_400 else { return nil }
    guard parts.count == 2 else { return seconds * 1_000_000 }
    guard (1...6).contains(parts[1].utf8.count), let fraction = Int64(decimal: parts[1]) else { return nil }
    let scale = [100_000, 10_000, 1000, 100, 10, 1][parts[1].utf8.count - 1]
    return seconds * 1_000_000 + fraction * Int64(scale)
}

private func scaled(_ text: String, _ units: [(suffix: String, factor: Int64)], bare: Int64) -> Int64? {
    var digits = text[...]
    var factor = bare
    for unit in units where text.hasSuffix(unit.suffix) {
        // "ms" ends in "s" too: what is left of a wrong one is no number.
        guard Int64(decimal: text.dropLast(unit.suffix.count)) != nil else { continue }
        digits = text.dropLast(unit.suffix.count)
        factor = unit.factor
    }
    guard let number = Int64(decimal: digits) else { return nil }
    let product = number.multipliedReportingOverflow(by: factor)
    return product.overflow ? nil : product.partialValue
}

/// A time in the largest unit that it is a whole number of.
public func timeText(_ microseconds: Int64) -> String {
    let unit = TimeUnit.allCases.last { microseconds % $0.rawValue == 0 } ?? .milliseconds
    return "\(microseconds / unit.rawValue)\(unit.suffix)"
}

extension Int64 {
    /// A number of at least one decimal digit, and of nothing else.
    fileprivate init?(decimal text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        self.init(text)
    }
}
