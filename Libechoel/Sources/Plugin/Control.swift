// swift-format-ignore-file: AlwaysUseLowerCamelCase
// The names are those of echoel.h.

public import CEchoel
internal import Inference
internal import Player

// The functions of echoel.h for the control room.

@c @implementation
public func echoel_version() -> UnsafePointer<CChar>? { unsafe text(EchoelVersion.current) }

@c @implementation
public func echoel_create(
    _ instrument: UnsafePointer<CChar>?, _ runtime: UnsafePointer<CChar>?,
    _ instance: UnsafeMutablePointer<OpaquePointer?>?
) -> echoel_result {
    unsafe instance?.pointee = nil
    return reporting {
        guard let instrument = unsafe instrument else { throw PluginError.missing("instrument") }
        guard let instance = unsafe instance else { throw PluginError.missing("instance") }
        let made = try unsafe Instance(
            instrument: String(cString: instrument), runtime: runtime.map { unsafe String(cString: $0) })
        let memory = UnsafeMutablePointer<Instance>.allocate(capacity: 1)
        unsafe memory.initialize(to: made)
        unsafe instance.pointee = OpaquePointer(memory)
    }
}

@c @implementation
public func echoel_destroy(_ instance: OpaquePointer?) {
    unsafe support_set_error("")
    guard let instance = unsafe the(instance) else { return }
    unsafe instance.deinitialize(count: 1)
    unsafe instance.deallocate()
}

@c @implementation
public func echoel_prepare(
    _ instance: OpaquePointer?, _ sample_rate: Double, _ max_block: UInt32, _ look_ahead: UInt32
) -> echoel_result {
    reporting {
        guard let instance = unsafe the(instance) else { throw PluginError.missing("instance") }
        try unsafe instance.pointee.prepare(
            sampleRate: sample_rate, maximumBlock: Int(max_block), lookAhead: Int(look_ahead))
    }
}

@c @implementation
public func echoel_get_status(
    _ instance: OpaquePointer?, _ status: UnsafeMutablePointer<echoel_status>?
) -> echoel_result {
    reporting {
        guard let instance = unsafe the(instance) else { throw PluginError.missing("instance") }
        guard let status = unsafe status else { throw PluginError.missing("status") }
        try unsafe instance.pointee.status { now in
            unsafe status.pointee = echoel_status(
                frames: UInt64(now.frames), missed_frames: UInt64(now.missedFrames),
                dropped_notes: UInt64(now.droppedNotes), voices: UInt32(now.voices),
                voices_peak: UInt32(now.voicesPeak), level: now.level,
                worker_is_real_time: now.workerIsRealtime ? 1 : 0)
        }
    }
}

/// The instance behind a handle.
@_noLocks
@unsafe func the(_ instance: OpaquePointer?) -> UnsafeMutablePointer<Instance>? {
    guard let instance = unsafe instance else { return nil }
    return unsafe UnsafeMutablePointer(instance)
}
