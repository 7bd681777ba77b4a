import Realtime
import TestSupport
import Testing

@Suite("Counters and signals")
struct CounterTests {
    @Test func aCounterCountsAndKeepsItsPeak() {
        let counter = Counter()
        counter.add(3)
        counter.raise(to: 2)
        #expect(counter.read() == 3)
        counter.raise(to: 9)
        #expect(counter.read() == 9)
    }

    /// What was written before a time was published is there for whoever reads the time; the sleeper wakes for each.
    @Test func aSleeperSeesWhatWasWrittenBeforeItsSignal() async {
        let (semaphore, time) = (Shared(Semaphore()), Shared(PublishedValue()))
        let written = Shared(RingBuffer(minimumCapacity: 1 << 14))
        let count = 10_000
        async let sent: Void = onThread {
            for number in 1...count {
                _ = written.value.write([Float(number)].span)
                time.value.publish(number)
                semaphore.value.signal()
            }
        }
        async let missing = onThread {
            var missing = 0
            for number in 1...count {
                semaphore.value.wait()
                if time.value.read() < number || written.value.availableCount() < number { missing += 1 }
            }
            return missing
        }
        await sent
        #expect(await missing == 0)
    }
}
