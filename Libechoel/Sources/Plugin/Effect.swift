// swift-format-ignore-file: AlwaysUseLowerCamelCase
// The names are those of echoel.h.

public import CEchoel
internal import Devices
internal import Realtime
internal import Streaming

// The functions of echoel.h about effects: first those for the control room, then those for audio.

@c @implementation
public func echoel_effect_create(
    _ model: UnsafePointer<CChar>?, _ hop: UInt32, _ runtime: UnsafePointer<CChar>?,
    _ effect: UnsafeMutablePointer<OpaquePointer?>?
) -> echoel_result {
    unsafe effect?.pointee = nil
    return reporting {
        guard let model = unsafe model else { throw PluginError.missing("model") }
        guard let effect = unsafe effect else { throw PluginError.missing("effect") }
        let made = try unsafe EffectInstance(
            model: String(cString: model), hop: Int(hop),
            runtime: runtime.map { unsafe String(cString: $0) })
        let memory = UnsafeMutablePointer<EffectInstance>.allocate(capacity: 1)
        unsafe memory.initialize(to: made)
        unsafe effect.pointee = OpaquePointer(memory)
    }
}

@c @implementation
public func echoel_effect_destroy(_ effect: OpaquePointer?) {
    unsafe support_set_error("")
    guard let effect = unsafe theEffect(effect) else { return }
    unsafe effect.deinitialize(count: 1)
    unsafe effect.deallocate()
}

@c @implementation
public func echoel_effect_prepare(
    _ effect: OpaquePointer?, _ sample_rate: Double, _ channels: UInt32, _ max_block: UInt32, _ work: UInt32
) -> echoel_result {
    reporting {
        guard let effect = unsafe theEffect(effect) else { throw PluginError.missing("effect") }
        try unsafe effect.pointee.prepare(
            sampleRate: sample_rate, channels: Int(channels), maximumBlock: Int(max_block), work: Int(work))
    }
}

@c @implementation
public func echoel_effect_get_status(
    _ effect: OpaquePointer?, _ status: UnsafeMutablePointer<echoel_effect_status>?
) -> echoel_result {
    reporting {
        guard let effect = unsafe theEffect(effect) else { throw PluginError.missing("effect") }
        guard let status = unsafe status else { throw PluginError.missing("status") }
        try unsafe effect.pointee.status { now, workerIsRealtime in
            unsafe status.pointee = echoel_effect_status(
                missed_frames: UInt64(now.missedFrames), overloads: UInt64(now.overloads),
                late_hops: UInt64(now.lateHops), skipped_hops: UInt64(now.skippedHops),
                input_level: now.inputLevel, output_level: now.outputLevel,
                worker_is_real_time: workerIsRealtime ? 1 : 0)
        }
    }
}

/// The effect behind a handle.
@_noLocks
@unsafe func theEffect(_ effect: OpaquePointer?) -> UnsafeMutablePointer<EffectInstance>? {
    guard let effect = unsafe effect else { return nil }
    return unsafe UnsafeMutablePointer(effect)
}

@c @implementation @_noLocks
public func echoel_effect_channels(_ effect: OpaquePointer?) -> UInt32 {
    guard let effect = unsafe theEffect(effect) else { return 0 }
    return unsafe UInt32(effect.pointee.channels)
}

@c @implementation @_noLocks
public func echoel_effect_sample_rate(_ effect: OpaquePointer?) -> Double {
    guard let effect = unsafe theEffect(effect) else { return 0 }
    return unsafe Double(effect.pointee.sampleRate ?? 0)
}

@c @implementation @_noLocks
public func echoel_effect_set_offline(_ effect: OpaquePointer?, _ is_offline: Int32) -> echoel_result {
    guard let effect = unsafe theEffect(effect) else { return ECHOEL_INVALID_ARGUMENT }
    unsafe effect.pointee.isOffline.publish(is_offline == 0 ? 0 : 1)
    return ECHOEL_OK
}

@c @implementation @_noLocks
public func echoel_effect_latency(_ effect: OpaquePointer?) -> UInt32 {
    guard let effect = unsafe theEffect(effect) else { return 0 }
    return unsafe effect.pointee.audio.latencyFrames
}

/// Only here is it decided whether to wait: what plays in real time is annotated, and cannot.
@c @implementation
public func echoel_effect_process(
    _ effect: OpaquePointer?, _ inputs: UnsafePointer<UnsafePointer<Float>?>?,
    _ outputs: UnsafePointer<UnsafeMutablePointer<Float>?>?, _ frames: UInt32
) -> echoel_result {
    guard let effect = unsafe theEffect(effect) else { return ECHOEL_INVALID_ARGUMENT }
    guard unsafe effect.pointee.audio.isPrepared else { return ECHOEL_NOT_PREPARED }
    if unsafe effect.pointee.isOffline.read() == 0 {
        unsafe playInTime(effect, inputs, outputs, Int(frames))
    } else {
        unsafe playOffline(effect, inputs, outputs, Int(frames))
    }
    return unsafe effect.pointee.audio.hasFailed ? ECHOEL_INFERENCE_FAILED : ECHOEL_OK
}

@_noLocks
@unsafe private func playInTime(
    _ effect: UnsafeMutablePointer<EffectInstance>, _ inputs: UnsafePointer<UnsafePointer<Float>?>?,
    _ outputs: UnsafePointer<UnsafeMutablePointer<Float>?>?, _ frames: Int
) {
    var done = 0
    while done < frames {
        done += unsafe effect.pointee.audio.playPiece(inputs, outputs, from: done, of: frames)
    }
}

/// Every piece waits until the worker has computed what it may. Not in real time.
@unsafe private func playOffline(
    _ effect: UnsafeMutablePointer<EffectInstance>, _ inputs: UnsafePointer<UnsafePointer<Float>?>?,
    _ outputs: UnsafePointer<UnsafeMutablePointer<Float>?>?, _ frames: Int
) {
    var done = 0
    while done < frames {
        unsafe effect.pointee.live?.slot.waitForWorkers()
        done += unsafe effect.pointee.audio.playPiece(inputs, outputs, from: done, of: frames)
    }
}

@c @implementation @_noLocks
public func echoel_effect_reset(_ effect: OpaquePointer?) -> echoel_result {
    guard let effect = unsafe theEffect(effect) else { return ECHOEL_INVALID_ARGUMENT }
    guard unsafe effect.pointee.audio.isPrepared else { return ECHOEL_NOT_PREPARED }
    unsafe effect.pointee.audio.reset()
    return ECHOEL_OK
}
