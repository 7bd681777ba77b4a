// swift-format-ignore-file: AlwaysUseLowerCamelCase
// The names are those of echoel.h.

public import CEchoel
internal import Player
internal import Realtime

// The functions of echoel.h for the audio room.

@c @implementation @_noLocks
public func echoel_latency(_ instance: OpaquePointer?) -> UInt32 {
    guard let instance = unsafe the(instance) else { return 0 }
    return unsafe instance.pointee.audio.latencyFrames
}

@c @implementation @_noLocks
public func echoel_send(
    _ instance: OpaquePointer?, _ frame: UInt32, _ status: UInt8, _ data1: UInt8, _ data2: UInt8
) -> echoel_result {
    guard let instance = unsafe the(instance), status >= 0x80, status < 0xF0, data1 < 0x80, data2 < 0x80
    else { return ECHOEL_INVALID_ARGUMENT }
    guard unsafe instance.pointee.audio.isPrepared else { return ECHOEL_NOT_PREPARED }
    let message = ChannelMessage(status: status, data1: data1, data2: data2)
    return unsafe instance.pointee.audio.add(offset: Int(frame), message) ? ECHOEL_OK : ECHOEL_QUEUE_FULL
}

/// Only here is it decided whether to wait: what plays in real time is annotated, and cannot.
@c @implementation
public func echoel_process(
    _ instance: OpaquePointer?, _ left: UnsafeMutablePointer<Float>?, _ right: UnsafeMutablePointer<Float>?,
    _ frames: UInt32
) -> echoel_result {
    guard let instance = unsafe the(instance), unsafe !overlap(left, right, Int(frames)),
        unsafe instance.pointee.audio.isPrepared
    else { return unsafe refuse(the(instance), left, right, Int(frames)) }
    if unsafe instance.pointee.isOffline.read() == 0 {
        unsafe playInTime(instance, left, right, Int(frames))
    } else {
        unsafe playOffline(instance, left, right, Int(frames))
    }
    return unsafe instance.pointee.audio.hasFailed ? ECHOEL_INFERENCE_FAILED : ECHOEL_OK
}

@_noLocks
@unsafe private func playInTime(
    _ instance: UnsafeMutablePointer<Instance>, _ left: UnsafeMutablePointer<Float>?,
    _ right: UnsafeMutablePointer<Float>?, _ frames: Int
) {
    let decibels = unsafe instance.pointee.parameters.get(0)
    var done = 0
    while done < frames {
        done += unsafe instance.pointee.audio.playPiece(
            left, right, from: done, of: frames, decibels: decibels)
    }
    unsafe instance.pointee.audio.endBlock(frames: frames)
}

/// Every piece waits until the worker has rendered what it may. Not in real time.
@unsafe private func playOffline(
    _ instance: UnsafeMutablePointer<Instance>, _ left: UnsafeMutablePointer<Float>?,
    _ right: UnsafeMutablePointer<Float>?, _ frames: Int
) {
    let decibels = unsafe instance.pointee.parameters.get(0)
    var done = 0
    while done < frames {
        unsafe instance.pointee.live?.waitForWorker()
        done += unsafe instance.pointee.audio.playPiece(
            left, right, from: done, of: frames, decibels: decibels)
    }
    unsafe instance.pointee.audio.endBlock(frames: frames)
}

/// Whether two channels share samples.
@_noLocks
@unsafe private func overlap(
    _ left: UnsafeMutablePointer<Float>?, _ right: UnsafeMutablePointer<Float>?, _ frames: Int
) -> Bool {
    guard let left = unsafe left, let right = unsafe right else { return false }
    return unsafe left < right + frames && right < left + frames
}

/// Silence, and why.
@_noLocks
@unsafe private func refuse(
    _ instance: UnsafeMutablePointer<Instance>?, _ left: UnsafeMutablePointer<Float>?,
    _ right: UnsafeMutablePointer<Float>?, _ frames: Int
) -> echoel_result {
    for i in 0..<frames {
        unsafe left?[i] = 0
        unsafe right?[i] = 0
    }
    return unsafe instance == nil || overlap(left, right, frames)
        ? ECHOEL_INVALID_ARGUMENT : ECHOEL_NOT_PREPARED
}

@c @implementation @_noLocks
public func echoel_reset(_ instance: OpaquePointer?) -> echoel_result {
    guard let instance = unsafe the(instance) else { return ECHOEL_INVALID_ARGUMENT }
    guard unsafe instance.pointee.audio.isPrepared else { return ECHOEL_NOT_PREPARED }
    unsafe instance.pointee.audio.reset()
    return ECHOEL_OK
}

@c @implementation @_noLocks
public func echoel_set_offline(_ instance: OpaquePointer?, _ is_offline: Int32) -> echoel_result {
    guard let instance = unsafe the(instance) else { return ECHOEL_INVALID_ARGUMENT }
    unsafe instance.pointee.isOffline.publish(is_offline == 0 ? 0 : 1)
    return ECHOEL_OK
}

@c @implementation @_noLocks
public func echoel_sample_rate(_ instance: OpaquePointer?) -> Double {
    guard let instance = unsafe the(instance) else { return 0 }
    return unsafe Double(instance.pointee.sampleRate)
}
