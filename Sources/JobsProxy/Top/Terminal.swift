internal import Glibc

/// The terminal while figures are shown: another screen without a cursor, and keys that come at once and are not shown. `restore` makes it
/// what it was.
struct Terminal: ~Copyable {
    private let before: termios?

    private static let enter = "\u{1b}[?1049h\u{1b}[?25l"
    private static let leave = "\u{1b}[?25h\u{1b}[?1049l"

    init() {
        var settings = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else {
            before = nil
            Self.write(Self.enter)
            return
        }
        before = settings
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        Self.write(Self.enter)
    }

    borrowing func restore() {
        Self.write(Self.leave)
        guard var before else { return }
        _ = unsafe tcsetattr(STDIN_FILENO, TCSANOW, &before)
    }

    /// Shows a text in the place of the last.
    borrowing func show(_ text: String) {
        // Each line is cleared behind its end, so nothing flickers.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "\($0)\u{1b}[K" }
        Self.write("\u{1b}[H\(lines.joined(separator: "\r\n"))\u{1b}[J")
    }

    /// Returns true if q, Escape, Ctrl-C or Ctrl-D was pressed, or the terminal has gone. Does not wait.
    borrowing func wantsEnd() -> Bool {
        var source = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&source, 1, 0) > 0 else { return false }
        var keys = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(STDIN_FILENO, &keys, keys.count)
        guard count > 0 else { return true }
        // An arrow key begins with Escape too.
        return keys.prefix(count).elementsEqual([0x1b])
            || keys.prefix(count).contains { [UInt8(ascii: "q"), 3, 4].contains($0) }
    }

    /// The size now; nil if the output is no terminal.
    static var size: (columns: Int, rows: Int)? {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return nil
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    private static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            // Unsafe only in its pointer; the length is the slice's.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
