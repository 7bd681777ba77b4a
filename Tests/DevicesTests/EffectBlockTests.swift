import Devices
import Inference
import Realtime
import Streaming
import TestSupport
import Testing

@Suite("Effect blocks")
struct EffectBlockTests {
    /// What a device does, in a real-time region: blocks at random, in place, one channel not always connected. What comes
    /// out is what `OfflineEffect` makes of it.
    @Test(arguments: [44_100, 48_000, 96_000])
    func channelsGoThroughAndComeBack(rate: Int) throws {
        var generator = SeededGenerator.announced()
        let (frames, most) = (12_000, 300)
        let live = try LiveEffect(
            echo(), channels: 2, sampleRate: rate,
            configuration: EffectConfiguration(blockFrames: most, blocksVary: true, workSamples: 200))
        let block = EffectBlock(live)
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: 2 * most)
        let places = UnsafeMutablePointer<UnsafeMutablePointer<Float>?>.allocate(capacity: 2)
        defer {
            unsafe buffer.deallocate()
            unsafe places.deallocate()
        }
        unsafe places.initialize(to: buffer)
        unsafe (places + 1).initialize(to: buffer + most)
        for round in 0..<2 {
            var sound: [[Float]] = [[], []]
            var heard: [[Float]] = [[], []]
            var counted = 0
            while heard[0].count < frames + live.latency.total {
                let count = Int.random(in: 0...most, using: &generator)
                let isConnected = Bool.random(using: &generator)
                for channel in 0..<2 {
                    let samples = (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
                    for i in 0..<count { unsafe buffer[channel * most + i] = samples[i] }
                    sound[channel] += channel == 0 || isConnected ? samples : samples.map { _ in 0 }
                }
                let second = unsafe isConnected ? UnsafePointer(buffer + most) : nil
                counted += unsafe allocations {
                    let region = RealtimeRegion.enter()
                    unsafe block.take(buffer, channel: 0, frames: count)
                    unsafe block.take(second, channel: 1, frames: count)
                    block.process(frames: count)
                    unsafe block.give(places, frames: count)
                    region.leave()
                }
                for channel in 0..<2 {
                    heard[channel] += (0..<count).map { unsafe buffer[channel * most + $0] }
                }
                live.slot.waitForWorkers()
            }
            #expect(counted == 0)
            let rows = sound.map { Array($0.prefix(frames)) }
            let wanted = try render(OfflineEffect(echo(), channels: 2, sampleRate: rate), rows)
            let latency = live.latency.total
            for channel in 0..<2 {
                // Both filters begin before.
                let silent = latency - (rate == 44_100 ? 0 : 150 * rate / 44_100)
                #expect(heard[channel].prefix(silent).allSatisfy { $0 == 0 }, "round \(round)")
                // The end of what `OfflineEffect` was given is followed by silence.
                let settled = frames - 2 * 200
                #expect(
                    heard[channel].dropFirst(latency).prefix(settled).elementsEqual(
                        wanted[channel].prefix(settled)), "round \(round)")
            }
            let region = RealtimeRegion.enter()
            block.reset()
            region.leave()
        }
        let wasAbandoned = block.isAbandoned
        live.slot.engines.last?.stop()
        let isAbandoned = block.isAbandoned
        #expect(!wasAbandoned && isAbandoned)
    }
}
