internal import CJack
internal import Player
internal import Realtime
internal import Streaming

extension JackDevice {
    /// What the server's other threads tell us.
    struct Flags: ~Copyable {
        let xruns = Counter()
        let blockFrames = PublishedValue()
        let freewheel = PublishedValue()
        let shutdown = PublishedValue()
    }

    /// What the server's threads get.
    @safe struct Context {
        let block: UnsafeMutablePointer<DeviceBlock>
        let flags: UnsafeMutablePointer<Flags>
        /// Where things come in: MIDI for a player, sound for an effect.
        let sources: UnsafeMutablePointer<OpaquePointer>
        let sourceCount: Int
        /// As many as the block's.
        let outputs: UnsafeMutablePointer<OpaquePointer>
        let latencyFrames: UInt32
        let content: Content
    }

    /// What is played.
    @safe enum Content {
        /// And for freewheeling, which waits for the worker.
        case player(Unmanaged<Player>, Unmanaged<LivePlayer>)
        case effect(UnsafeMutablePointer<EffectBlock>, Unmanaged<LiveEffect>)
    }
}

/// What the server calls for each block.
func jackProcess(_ frames: UInt32, _ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context = unsafe context?.assumingMemoryBound(to: JackDevice.Context.self) else { return 1 }
    let region = RealtimeRegion.enter()
    unsafe play(frames, context)
    region.leave()
    if unsafe context.pointee.flags.pointee.freewheel.read() != 0 {
        // Not in real time: every block waits until the worker has done what it may.
        switch unsafe context.pointee.content {
        case .player(_, let live): unsafe live._withUnsafeGuaranteedRef { $0.waitForWorker() }
        case .effect(_, let live): unsafe live._withUnsafeGuaranteedRef { $0.slot.waitForWorkers() }
        }
    }
    return 0
}

@_noLocks
private func play(_ frames: UInt32, _ context: UnsafeMutablePointer<JackDevice.Context>) {
    let block = unsafe context.pointee.block
    let (outputCount, sourceCount) = unsafe (block.pointee.outputCount, context.pointee.sourceCount)
    for index in 0..<outputCount {
        let output = unsafe cjack_audio(context.pointee.outputs[index], frames)
        if unsafe output == nil { return }
        unsafe block.pointee.outputs[index] = unsafe output
    }
    unsafe block.pointee.begin()
    let count = Int(frames)
    switch unsafe context.pointee.content {
    case .player(let player, _):
        unsafe takeMessages(frames, context)
        guard unsafe block.pointee.complete(frames: count) else { return }
        guard let first = unsafe block.pointee.outputs[0], let second = unsafe block.pointee.outputs[1] else {
            return
        }
        let messages = unsafe block.pointee.blockMessages
        unsafe player._withUnsafeGuaranteedRef { player in
            var left = unsafe MutableSpan(_unsafeStart: first, count: count)
            var right = unsafe MutableSpan(_unsafeStart: second, count: count)
            unsafe player.process(messages.span, left: &left, right: &right)
        }
    case .effect(let effect, _):
        guard unsafe block.pointee.complete(frames: count) else { return }
        for index in 0..<sourceCount {
            unsafe effect.pointee.take(
                cjack_audio(context.pointee.sources[index], frames), channel: index, frames: count)
        }
        unsafe effect.pointee.process(frames: count)
        unsafe effect.pointee.give(block.pointee.outputs, frames: count)
    }
    unsafe block.pointee.end(frames: count)
}

@_noLocks
private func takeMessages(_ frames: UInt32, _ context: UnsafeMutablePointer<JackDevice.Context>) {
    let block = unsafe context.pointee.block
    if let midi = unsafe cjack_midi(context.pointee.sources[0], frames) {
        let count = unsafe cjack_midi_count(midi)
        var index: UInt32 = 0
        while index < count {
            var frame: UInt32 = 0
            var bytes: (UInt8, UInt8, UInt8) = (0, 0, 0)
            let size = unsafe withUnsafeMutablePointer(to: &bytes) { pointer in
                unsafe pointer.withMemoryRebound(to: UInt8.self, capacity: 3) {
                    unsafe cjack_midi_event(midi, index, &frame, $0)
                }
            }
            index += 1
            if size < 2 || size > 3 || bytes.0 < 0x80 || bytes.0 >= 0xF0 {
                unsafe block.pointee.ignored.add(1)
                continue
            }
            unsafe block.pointee.add(
                offset: Int(frame < frames ? frame : frames - 1), status: bytes.0, data1: bytes.1,
                data2: bytes.2)
        }
    }
}
