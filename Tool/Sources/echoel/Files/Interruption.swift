import Foundation
import Synchronization

/// Ctrl-C and termination while files are being written: the work is told, cleans up, and then ends by the signal. Where
/// they are the usual way to end, they are taken.
enum Interruption {
    fileprivate static let received = Atomic<Int32>(0)
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// Runs `body` with the signals noted instead of obeyed.
    static func deferring<R>(_ body: () throws -> R) throws -> R {
        received.store(0, ordering: .relaxed)
        for number in signals { install(number, noteSignal) }
        defer { for number in signals { install(number, SIG_DFL) } }
        let result = try body()
        try check()
        return result
    }

    /// To be called first. Lets the signals through that a parent left blocked (dispatch's threads block them, and
    /// what they start inherits it), and makes a file-size limit an error of the write instead of the process's end.
    static func prepare() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in signals { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        signal(SIGXFSZ, SIG_IGN)
    }

    /// - Throws: `Interrupted` when a signal has come.
    static func check() throws(Interrupted) {
        let number = received.load(ordering: .relaxed)
        if number != 0 { throw Interrupted(signal: number) }
    }

    /// Whether a signal has come; it is then done with, and `check` does not see it.
    static func take() -> Bool { received.exchange(0, ordering: .relaxed) != 0 }

    /// Ends the process by the signal, so that its parent sees what happened.
    static func end(by number: Int32) -> Never {
        install(number, SIG_DFL)
        raise(number)
        exit(128 + number)
    }

    private static func install(_ number: Int32, _ handler: (@convention(c) (Int32) -> Void)?) {
        // A signal that the parent ignores (nohup) stays ignored.
        let before = signal(number, handler)
        if unsafe unsafeBitCast(before, to: Int.self) == 1 { signal(number, SIG_IGN) }
    }
}

/// All that a signal's handler does.
private func noteSignal(_ number: Int32) { Interruption.received.store(number, ordering: .relaxed) }
