import Realtime
import TestSupport
import Testing

@testable import Devices

@Suite("Clocked messages")
struct ClockedMessagesTests {
    private let messages = Shared(ClockedMessages())

    /// Whatever the blocks' lengths, a message is played a block or less after it came, never before, and none is lost.
    @Test func eachIsPlayedABlockAfterItCame() {
        var generator = SeededGenerator.announced()
        // Where each message comes, in frames, and where it is heard.
        var (came, heard): ([Int], [Int]) = ([], [])
        var position = 0
        for _ in 0..<200 {
            let frames = Int.random(in: 1...512, using: &generator)
            heard += take(at: position, frames: frames).map { position + $0 }
            var at = position
            while true {
                at += Int.random(in: 1...300, using: &generator)
                if at >= position + frames { break }
                came.append(at)
                #expect(push(at))
            }
            position += frames
        }
        heard += take(at: position, frames: 512).map { position + $0 }
        #expect(heard.count == came.count && heard.count > 100)
        for (came, heard) in zip(came, heard) { #expect(came < heard && heard <= came + 512) }
    }

    /// In blocks of equal lengths the delay is the block, exactly.
    @Test func inEqualBlocksTheDelayIsTheBlock() {
        #expect(push(1000 + 17))
        #expect(take(at: 1000, frames: 128) == [])
        #expect(take(at: 1128, frames: 128) == [17])
        #expect(take(at: 1256, frames: 128) == [])
    }

    @Test func whatHasNoRoomIsRefused() {
        #expect((0..<5000).count { push($0) } == 4096)
    }

    /// A message that comes a quarter of a frame after that frame.
    private func push(_ frame: Int) -> Bool {
        let message = ChannelMessage(status: 0x90, data1: 60, data2: 100)
        return messages.value.push(message, at: nanoseconds(frame) + 5000)
    }

    /// The offsets of what a block that begins with that frame takes.
    private func take(at frame: Int, frames: Int) -> [Int] {
        var block = DeviceBlock(maximumFrames: 512, sampleRate: 48_000, outputs: 1)
        block.begin()
        messages.value.take(into: &block, began: nanoseconds(frame), frames: frames, sampleRate: 48_000)
        let taken = unsafe block.blockMessages
        var offsets: [Int] = []
        for index in 0..<taken.count { unsafe offsets.append(taken[index].offsetFrames) }
        return offsets
    }

    private func nanoseconds(_ frame: Int) -> Int64 { Int64((Double(frame) / 48_000 * 1e9).rounded()) }
}
