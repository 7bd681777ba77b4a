import Realtime
import Testing

@Suite("Slack")
struct SlackTests {
    @Test func whatIsLeftIsCountedInSteps() {
        let meter = SlackMeter(sampleRate: 48_000)
        #expect(meter.read().samples(allBut: 0) == nil)
        for samples in [0, 15, 16, 1000, 1_000_000] { meter.add(samples) }
        let slack = meter.read()
        #expect(slack.counts[0] == 2 && slack.counts[1] == 1 && slack.counts[62] == 1)
        #expect(slack.counts[Slack.steps - 1] == 1 && slack.total == 5 && slack.late == 0)
        #expect(slack.samples(allBut: 0) == 0 && slack.samples(allBut: 0.5) == 16)
        #expect(slack.milliseconds(allBut: 0.7) == 992.0 / 48)
        meter.add(-1)
        #expect(meter.read().samples(allBut: 0) == -1)
        #expect(meter.read().since(slack).total == 1 && meter.read().since(slack).late == 1)
        var both = slack
        both.add(meter.read())
        #expect(both.total == 11 && both.late == 1)
    }

    /// The time until a block begins is as long as the blocks before it are, less what has passed.
    @Test func theBlockThatPlaysASampleBeginsAfterThoseBeforeIt() {
        let clock = BlockClock()
        clock.blockPlayed(frames: 128)
        // Rates so low that the time that a test takes is nothing.
        func left(_ sample: Int, played: Int) -> Int {
            clock.samplesLeft(until: sample, played: played, rate: 0)
        }
        #expect(left(1000, played: 1000) == 128)
        #expect(left(1127, played: 1000) == 128)
        #expect(left(1128, played: 1000) == 256)
        #expect(left(999, played: 1000) == -1)
        #expect(clock.samplesLeft(until: 1000, played: 1000, rate: 1_000_000_000) < 128)
    }
}
