import Devices
import TestSupport
import Testing

@Suite("Times in steps")
struct TimeHistogramTests {
    /// As sorted times tell, to the width of a step; and every time is in one.
    @Test func sharesAreThoseOfTheTimesThemselves() {
        var generator = SeededGenerator.announced()
        var (histogram, times) = (TimeHistogram(), [Int]())
        for _ in 0..<5000 {
            times.append(Int(Double.random(in: 2...16, using: &generator).squareRoot() * 1e5) / 10)
            histogram.add(nanoseconds: times.last!)
        }
        times.sort()
        for share in [0.5, 0.99, 0.999] {
            let exact = Double(times[Int((share * 5000).rounded(.up)) - 1])
            #expect(abs(histogram.nanoseconds(atShare: share) / exact - 1) < 0.009)
        }
        #expect(histogram.most == times.last! && histogram.count == 5000)
        #expect(histogram.steps.reduce(0) { $0 + $1.count } == 5000)
        #expect(TimeHistogram().nanoseconds(atShare: 0.99) == 0)
    }

    /// What is out of the range of the steps is in the outermost.
    @Test func extremesAreCounted() {
        var histogram = TimeHistogram()
        for time in [0, 1, 100_000_000_000] { histogram.add(nanoseconds: time) }
        #expect(histogram.most == 100_000_000_000)
        #expect(histogram.steps.map(\.count) == [2, 1])
        #expect(histogram.steps[0].nanoseconds < 66 && histogram.steps[1].nanoseconds > 1.6e10)
    }
}
