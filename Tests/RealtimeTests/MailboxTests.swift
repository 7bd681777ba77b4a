import Realtime
import TestSupport
import Testing

@Suite("Mailbox")
struct MailboxTests {
    /// What would be seen to be half of one value and half of another.
    struct Pair: BitwiseCopyable, Sendable, Equatable {
        var number = 0
        var negative = 0
    }

    @Test func theLatestIsFetchedAndStays() {
        let mailbox = Mailbox(7)
        #expect(mailbox.fetch() == 7)
        var generator = SeededGenerator.announced()
        var latest = 7
        for value in 0..<10_000 {
            if Bool.random(using: &generator) {
                mailbox.leave(value)
                latest = value
            }
            if Bool.random(using: &generator) { #expect(mailbox.fetch() == latest) }
        }
    }

    @Test func twoThreadsNeverShareAValue() async {
        let shared = Shared(Mailbox(Pair()))
        let count = 50_000
        async let sent: Void = onThread {
            for number in 1...count { shared.value.leave(Pair(number: number, negative: -number)) }
        }
        async let wrong = onThread {
            var (last, wrong) = (0, 0)
            while last < count {
                let pair = shared.value.fetch()
                if pair.number + pair.negative != 0 || pair.number < last { wrong += 1 }
                last = pair.number
            }
            return wrong
        }
        await sent
        #expect(await wrong == 0)
    }
}
