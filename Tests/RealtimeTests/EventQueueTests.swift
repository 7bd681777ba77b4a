import Realtime
import TestSupport
import Testing

@Suite("Event queue")
struct EventQueueTests {
    @Test func elementsComeOutInOrderAndAFullQueueSaysSo() {
        let queue = EventQueue<Int>(minimumCapacity: 100, blank: -1)
        var model: [Int] = []
        var next = 0
        var generator = SeededGenerator.announced()
        for _ in 0..<10_000 {
            for _ in 0..<Int.random(in: 0...90, using: &generator) {
                let pushed = queue.push(next)
                #expect(pushed == (model.count < queue.capacity))
                if pushed { model.append(next) }
                next += 1
            }
            for _ in 0..<Int.random(in: 0...90, using: &generator) {
                let first = model.isEmpty ? nil : model.removeFirst()
                #expect(queue.peek() == first)
                let region = RealtimeRegion.enter()
                let popped = queue.pop()
                region.leave()
                #expect(popped == first)
            }
        }
    }
}
