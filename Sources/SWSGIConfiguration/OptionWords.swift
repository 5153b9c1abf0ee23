// The arguments of a directive: words between blanks, with name=value options whose value may be quoted.

/// One argument of a directive.
public enum OptionWord: Equatable, Sendable {
    /// A plain word.
    case word(String)
    /// A name=value option.
    case option(name: String, value: String)
}

/// Splits the arguments of `directive`.
public func optionWords(_ arguments: String, directive: String) throws(Problem) -> [OptionWord] {
    var words: [OptionWord] = []
    // Not by characters: a mark that combines with a quote or a blank would hide it, and httpd sees bytes.
    var rest = arguments.unicodeScalars[...]
    while true {
        rest = rest.drop { $0 == " " || $0 == "\t" }
        guard let first = rest.first else { return words }
        if first == "\"" || first == "'" {
            words.append(.word(try takeQuoted(&rest, directive)))
            continue
        }
        let name = rest.prefix { $0 != "=" && $0 != " " && $0 != "\t" }
        rest = rest.dropFirst(name.count)
        guard rest.first == "=" else {
            words.append(.word(String(name)))
            continue
        }
        rest.removeFirst()
        guard !name.isEmpty else {
            throw Problem(.optionForm, "\(directive): '=\(String(rest.prefix(20)))' is not of the form name=value")
        }
        words.append(.option(name: String(name), value: try takeValue(&rest, directive)))
    }
}

private func takeValue(_ rest: inout Substring.UnicodeScalarView, _ directive: String) throws(Problem) -> String {
    if rest.first == "\"" || rest.first == "'" { return try takeQuoted(&rest, directive) }
    let value = rest.prefix { $0 != " " && $0 != "\t" }
    rest = rest.dropFirst(value.count)
    return String(value)
}

private func takeQuoted(_ rest: inout Substring.UnicodeScalarView, _ directive: String) throws(Problem) -> String {
    let quote = rest.removeFirst()
    var value = String.UnicodeScalarView()
    while let next = rest.first {
        rest.removeFirst()
        if next == quote {
            guard rest.isEmpty || rest.first == " " || rest.first == "\t" else {
                throw Problem(.optionForm, "\(directive): text follows directly after the quote of '\(String(value))'")
            }
            return String(value)
        }
        // As httpd does: a backslash makes a quote or a backslash plain, and is plain itself before anything else.
        if next == "\\", let escaped = rest.first, escaped == quote || escaped == "\\" {
            value.append(rest.removeFirst())
        } else {
            value.append(next)
        }
    }
    throw Problem(.optionForm, "\(directive): the quote before '\(String(value))' is not closed")
}

/// Reads the whole of a text as a decimal number in a range.
public func strictNumber(
    _ text: String,
    in range: ClosedRange<UInt32>,
    option: String,
    directive: String
) throws(Problem) -> UInt32 {
    guard isDecimal(text), let number = UInt32(text), range.contains(number) else {
        throw Problem(
            .numberInvalid,
            "\(directive): \(option) must be a number from \(range.lowerBound) to \(range.upperBound), not '\(text)'"
        )
    }
    return number
}

private func isDecimal(_ text: some StringProtocol) -> Bool {
    text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
}

/// Reads a time: a bare number is seconds; `s`, `min` and `h` may follow.
public func strictSeconds(
    _ text: String,
    in range: ClosedRange<UInt32>,
    option: String,
    directive: String
) throws(Problem) -> UInt32 {
    for (suffix, factor) in [("min", UInt32(60)), ("s", 1), ("h", 3600)] where text.hasSuffix(suffix) {
        let digits = text.dropLast(suffix.count)
        if isDecimal(digits), let number = UInt32(digits) {
            let seconds = number.multipliedReportingOverflow(by: factor)
            if !seconds.overflow, range.contains(seconds.partialValue) { return seconds.partialValue }
        }
    }
    guard let number = try? strictNumber(text, in: range, option: option, directive: directive) else {
        throw Problem(
            .numberInvalid,
            "\(directive): \(option) must be \(range.lowerBound) to \(range.upperBound) seconds, or a number with s, min or h, not '\(text)'"
        )
    }
    return number
}

/// The known word nearest to a misspelt one, when it is near enough to be meant.
public func nearest(to word: String, among known: [String]) -> String? {
    let best = known.map { (word: $0, distance: editDistance($0, word)) }.min { $0.distance < $1.distance }
    guard let best, best.distance <= max(1, word.count / 3) else { return nil }
    return best.word
}

private func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (i, byte) in left.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in right.indices {
            let replaced = diagonal + (byte == right[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[right.count]
}
