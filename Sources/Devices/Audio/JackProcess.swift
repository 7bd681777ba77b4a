internal import CJack
internal import Player
internal import Realtime

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
        let midi, left, right: OpaquePointer
        let latencyFrames: UInt32
        let player: Unmanaged<Player>
        /// For freewheeling, which waits for the worker.
        let live: Unmanaged<LivePlayer>
    }
}

/// What the server calls for each block.
func jackProcess(_ frames: UInt32, _ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context = unsafe context?.assumingMemoryBound(to: JackDevice.Context.self) else { return 1 }
    let region = RealtimeRegion.enter()
    unsafe play(frames, context)
    region.leave()
    if unsafe context.pointee.flags.pointee.freewheel.read() != 0 {
        // Not in real time: every block waits until the worker has rendered what it may.
        unsafe context.pointee.live._withUnsafeGuaranteedRef { $0.waitForWorker() }
    }
    return 0
}

private func play(_ frames: UInt32, _ context: UnsafeMutablePointer<JackDevice.Context>) {
    let (left, right) = unsafe (
        cjack_audio(context.pointee.left, frames), cjack_audio(context.pointee.right, frames)
    )
    guard let left = unsafe left, let right = unsafe right else { return }
    let block = unsafe context.pointee.block
    unsafe takeMessages(frames, context)
    if unsafe block.pointee.complete(left, right, frames: Int(frames)) {
        var leftSpan = unsafe MutableSpan(_unsafeStart: left, count: Int(frames))
        var rightSpan = unsafe MutableSpan(_unsafeStart: right, count: Int(frames))
        unsafe context.pointee.player._withUnsafeGuaranteedRef {
            unsafe $0.process(block.pointee.blockMessages.span, left: &leftSpan, right: &rightSpan)
        }
        unsafe block.pointee.end(left, right, frames: Int(frames))
    }
}

@_noLocks
private func takeMessages(_ frames: UInt32, _ context: UnsafeMutablePointer<JackDevice.Context>) {
    let block = unsafe context.pointee.block
    unsafe block.pointee.begin()
    if let midi = unsafe cjack_midi(context.pointee.midi, frames) {
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
