/// Figures in few characters.
enum TopWords {
    static func whole(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "-" }
        let digits = String(Int64(clamping: Int(max(-9e18, min(9e18, value)).rounded())))
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place).isMultiple(of: 3), text != "-" { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// Three digits or so.
    static func number(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "-" }
        if value == 0 { return "0" }
        if abs(value) >= 100 { return whole(value) }
        if abs(value) < 0.01 { return "<0.01" }
        return decimals(value, abs(value) >= 10 ? 1 : 2)
    }

    static func part(_ part: Double, _ all: Double) -> String {
        guard all > 0 else { return "-" }
        let percent = 100 * part / all
        return percent > 0 && percent < 0.1
            ? "<0.1 %" : "\(decimals(percent, percent == 0 || percent == 100 ? 0 : 1)) %"
    }

    /// A time in seconds.
    static func time(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite else { return "-" }
        switch abs(seconds) {
        case 0: return "0 s"
        case ..<0.001: return "\(decimals(seconds * 1e6, 0)) us"
        case ..<1: return "\(decimals(seconds * 1e3, abs(seconds) < 0.01 ? 1 : 0)) ms"
        case ..<120: return "\(decimals(seconds, abs(seconds) < 10 ? 1 : 0)) s"
        case ..<7200: return "\(decimals(seconds / 60, 0)) min"
        case ..<172_800: return "\(decimals(seconds / 3600, 0)) h"
        default: return "\(decimals(seconds / 86_400, 0)) days"
        }
    }

    private static func decimals(_ value: Double, _ digits: Int) -> String {
        guard abs(value) < 1e15 else { return "\(value)" }
        let scale = [1.0, 10, 100][min(max(digits, 0), 2)]
        let scaled = (abs(value) * scale).rounded()
        let (whole, rest) = (Int64(scaled / scale), Int64(scaled.truncatingRemainder(dividingBy: scale)))
        let sign = value < 0 && scaled > 0 ? "-" : ""
        if digits == 0 { return "\(sign)\(whole)" }
        return "\(sign)\(whole).\(rest < 10 && digits == 2 ? "0" : "")\(rest)"
    }
}
