#if canImport(AudioToolbox) && canImport(CoreMIDI)
    internal import AudioToolbox
    internal import Player
    internal import Realtime

    /// What Core Audio calls for each block.
    func coreAudioRender(
        _ context: UnsafeMutableRawPointer, _ flags: UnsafeMutablePointer<AudioUnitRenderActionFlags>,
        _ time: UnsafePointer<AudioTimeStamp>, _ bus: UInt32, _ frames: UInt32,
        _ data: UnsafeMutablePointer<AudioBufferList>?
    ) -> OSStatus {
        guard let data = unsafe data else { return 0 }
        let region = RealtimeRegion.enter()
        unsafe play(
            context.assumingMemoryBound(to: CoreAudioDevice.Context.self), time.pointee.mHostTime,
            Int(frames),
            UnsafeMutableAudioBufferListPointer(data))
        region.leave()
        return 0
    }

    @_noLocks
    private func play(
        _ context: UnsafeMutablePointer<CoreAudioDevice.Context>, _ frames: Int,
        _ buffers: UnsafeMutableAudioBufferListPointer
    ) {
        guard unsafe buffers.count >= 2,
            let first = unsafe buffers[0].mData?.assumingMemoryBound(to: Float.self),
            let second = unsafe buffers[1].mData?.assumingMemoryBound(to: Float.self)
        else { return }
        unsafe context.pointee.block.outputs[0] = first
        unsafe context.pointee.block.outputs[1] = second
        unsafe context.pointee.block.begin()
        // The driver's own time of the block is when it will be heard.
        let began = Int64(clamping: AudioConvertHostTimeToNanos(AudioGetCurrentHostTime()))
        let rate = unsafe context.pointee.sampleRate
        unsafe context.pointee.messages._withUnsafeGuaranteedRef { inbox in
            unsafe inbox.messages.take(
                into: &context.pointee.block, began: began, frames: frames, sampleRate: rate)
        }
        guard unsafe context.pointee.block.complete(frames: frames) else { return }
        let messages = unsafe context.pointee.block.blockMessages
        unsafe context.pointee.player._withUnsafeGuaranteedRef { player in
            var left = unsafe MutableSpan(_unsafeStart: first, count: frames)
            var right = unsafe MutableSpan(_unsafeStart: second, count: frames)
            unsafe player.process(messages.span, left: &left, right: &right)
        }
        unsafe context.pointee.block.end(frames: frames)
    }
#endif
