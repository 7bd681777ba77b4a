internal import CJack
public import Player
internal import Realtime
internal import Streaming
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A client of the JACK server (jackaudio.org; PipeWire is one too): stereo out, MIDI in.
///
/// ```swift
/// let device = try JackDevice(name: "echoel")
/// let live = try LivePlayer(…, live: LiveConfiguration(blockFrames: device.blockFrames))
/// try device.start(live)
/// ```
///
/// Room: control, one thread.
@safe public final class JackDevice: @unchecked Sendable {
    // Sendable: the server's threads see only the block and the flags, which are made for it.
    /// The name that the server gave.
    public let name: String
    /// Hz.
    public let sampleRate: Int
    /// Frames per block when the device was opened.
    public let blockFrames: Int
    /// Whether the server runs ahead of other programs.
    public let isRealtime: Bool

    private let client: OpaquePointer
    private let midi, left, right: OpaquePointer
    private let flags: UnsafeMutablePointer<Flags>
    private var block: UnsafeMutablePointer<DeviceBlock>?
    private var live: LivePlayer?

    private var context: UnsafeMutablePointer<Context>?

    /// Opens a client and its ports; nothing is played yet.
    ///
    /// - Throws: `missingLibrary`, `noServer`, `refused`.
    public init(name wanted: String) throws(DeviceError) {
        var message = [CChar](repeating: 0, count: 256)
        guard unsafe cjack_load(&message, 256) == 0 else {
            let reason = String(
                decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw DeviceError(
                .missingLibrary,
                "JACK's library cannot be loaded (\(reason)). Install it (apt-get install libjack-jackd2-0, or "
                    + "pipewire-jack; macOS: brew install jack) and start a server.")
        }
        var status = CJACK_OK
        guard let client = unsafe cjack_open(wanted, &status) else {
            throw status == CJACK_NO_SERVER
                ? DeviceError(
                    .noServer,
                    "No JACK server runs. Start one, for example: jackd -d alsa -r 48000 -p 128 (without a sound card: "
                        + "jackd -r -d dummy -r 48000 -p 128).")
                : DeviceError(.refused, "The JACK server refuses the client \(wanted). Look at its messages.")
        }
        guard let midi = unsafe cjack_register(client, "midi_in", CJACK_MIDI_IN),
            let left = unsafe cjack_register(client, "out_left", CJACK_AUDIO_OUT),
            let right = unsafe cjack_register(client, "out_right", CJACK_AUDIO_OUT)
        else {
            unsafe cjack_close(client)
            throw DeviceError(
                .refused, "The JACK server has no ports left for \(wanted). Close another client.")
        }
        unsafe (self.midi, self.left, self.right) = unsafe (midi, left, right)
        unsafe self.client = client
        name = unsafe String(cString: cjack_name(client))
        sampleRate = unsafe Int(cjack_sample_rate(client))
        blockFrames = unsafe Int(cjack_buffer_size(client))
        isRealtime = unsafe cjack_is_realtime(client) != 0
        unsafe flags = .allocate(capacity: 1)
        unsafe flags.initialize(to: Flags())
        unsafe flags.pointee.blockFrames.publish(blockFrames)
    }

    /// Ends everything; the device is of no more use. The library wants one client of a server that is gone to be closed
    /// before another is opened.
    public func close() {
        stop()
        if isOpen { unsafe cjack_close(client) }
        isOpen = false
        release()
    }

    private var isOpen = true

    deinit {
        close()
        unsafe flags.deinitialize(count: 1)
        unsafe flags.deallocate()
    }

    /// Plays `live` from now on.
    ///
    /// - Throws: `unsuitable`, `refused`.
    public func start(_ live: LivePlayer) throws(DeviceError) {
        guard live.player.sampleRate == sampleRate else {
            throw DeviceError(
                .unsuitable,
                "JACK runs at \(sampleRate) Hz and the instruments at \(live.player.sampleRate) Hz. Start the server at "
                    + "that rate (jackd -r \(live.player.sampleRate) …).")
        }
        guard isOpen else { throw DeviceError(.refused, "The device \(name) has been closed. Open another.") }
        stop()
        release()
        self.live = live
        let block = UnsafeMutablePointer<DeviceBlock>.allocate(capacity: 1)
        unsafe block.initialize(
            to: DeviceBlock(
                maximumFrames: live.player.maximumBlockFrames, sampleRate: sampleRate))
        unsafe self.block = block
        let context = UnsafeMutablePointer<Context>.allocate(capacity: 1)
        unsafe context.initialize(
            to: Context(
                block: block, flags: flags, midi: midi, left: left, right: right,
                latencyFrames: UInt32(live.latency.total), player: .passUnretained(live.player),
                live: .passUnretained(live)))
        unsafe self.context = context
        let callbacks = unsafe cjack_callbacks(
            context: context, process: jackProcess, buffer_size: blockFramesChanged, xrun: xrun,
            freewheel: freewheel, shutdown: shutDown, latency: latenciesChanged)
        guard unsafe cjack_activate(client, callbacks) == 0 else {
            stop()
            throw DeviceError(
                .refused, "The JACK server does not start the client \(name). Look at its messages.")
        }
        isActive = true
    }

    private var isActive = false

    /// Ends at once; `fadeOut` comes before it where it is to be heard.
    public func stop() {
        if isActive { unsafe cjack_deactivate(client) }
        isActive = false
    }

    /// Lets go of what was played. A thread of the server may still look at it until the client is closed.
    private func release() {
        if let block = unsafe block {
            unsafe block.deinitialize(count: 1)
            unsafe block.deallocate()
        }
        if let context = unsafe context {
            unsafe context.deinitialize(count: 1)
            unsafe context.deallocate()
        }
        unsafe (block, context) = (nil, nil)
        live = nil
    }

    /// Connects the outputs to the machine's first two, and every MIDI input of the machine to ours.
    ///
    /// Returns the names of what was connected.
    public func connectToMachine() -> [String] {
        var connected: [String] = []
        let outputs = physicalPorts(CJACK_AUDIO_OUT)
        for (place, output) in outputs.prefix(2).enumerated() {
            let port = unsafe place == 0 ? left : right
            if unsafe cjack_connect(client, cjack_port_name(port), output) == 0 { connected.append(output) }
        }
        for input in physicalPorts(CJACK_MIDI_IN)
        where unsafe cjack_connect(client, input, cjack_port_name(midi)) == 0 {
            connected.append(input)
        }
        return connected
    }

    /// The names of the machine's own outputs, and of its MIDI inputs.
    public var machineOutputs: [String] { physicalPorts(CJACK_AUDIO_OUT) }
    public var machineMIDIInputs: [String] { physicalPorts(CJACK_MIDI_IN) }

    private func physicalPorts(_ kind: cjack_port_kind) -> [String] {
        guard isOpen, let ports = unsafe cjack_physical_ports(client, kind) else { return [] }
        defer { unsafe cjack_free(ports) }
        var names: [String] = []
        while let name = unsafe ports[names.count] { unsafe names.append(String(cString: name)) }
        return names
    }

    /// Gives the player a message for a frame since `start`; false where there is no room yet.
    public func schedule(_ message: ScheduledMessage) -> Bool {
        unsafe block?.pointee.scheduled.push(message) ?? false
    }

    /// Lets the sound fade within 50 ms.
    public func fadeOut() { unsafe block?.pointee.stopping.publish(1) }

    /// Whether the sound has faded, or nobody plays any more.
    public var hasFaded: Bool {
        unsafe block.map { unsafe $0.pointee.hasFaded.read() != 0 } ?? true
            || flags.pointee.shutdown.read() != 0
    }

    public var status: DeviceStatus {
        var status = DeviceStatus()
        unsafe status.xruns = flags.pointee.xruns.read()
        unsafe status.isFreewheeling = flags.pointee.freewheel.read() != 0
        unsafe status.hasShutDown = flags.pointee.shutdown.read() != 0
        unsafe status.blockFrames = flags.pointee.blockFrames.read()
        guard let block = unsafe block else { return status }
        unsafe status.frames = block.pointee.frames.read()
        unsafe status.load = Double(block.pointee.load.read()) / 1e6
        unsafe status.worstLoad = Double(block.pointee.worstLoad.read()) / 1e6
        unsafe status.ignoredMessages = block.pointee.ignored.read()
        unsafe status.refusedBlocks = block.pointee.refused.read()
        return status
    }
}

// What the server calls besides `jackProcess`: not in the audio room.

private func flags(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<JackDevice.Flags> {
    unsafe context!.assumingMemoryBound(to: JackDevice.Context.self).pointee.flags
}

private func blockFramesChanged(_ frames: UInt32, _ context: UnsafeMutableRawPointer?) -> Int32 {
    unsafe flags(context).pointee.blockFrames.publish(Int(frames))
    return 0
}

private func xrun(_ context: UnsafeMutableRawPointer?) -> Int32 {
    unsafe flags(context).pointee.xruns.add(1)
    return 0
}

private func freewheel(_ starting: Int32, _ context: UnsafeMutableRawPointer?) {
    unsafe flags(context).pointee.freewheel.publish(Int(starting))
}

private func shutDown(_ context: UnsafeMutableRawPointer?) {
    unsafe flags(context).pointee.shutdown.publish(1)
}

/// From the MIDI input to the outputs it takes what the player takes.
private func latenciesChanged(_ mode: Int32, _ context: UnsafeMutableRawPointer?) {
    let context = unsafe context!.assumingMemoryBound(to: JackDevice.Context.self).pointee
    let isCapture = mode == 0
    var (least, most): (UInt32, UInt32) = (0, 0)
    if isCapture {
        unsafe cjack_port_latency(context.midi, mode, &least, &most)
        unsafe cjack_set_port_latency(
            context.left, mode, least + context.latencyFrames, most + context.latencyFrames)
        unsafe cjack_set_port_latency(
            context.right, mode, least + context.latencyFrames, most + context.latencyFrames)
    } else {
        unsafe cjack_port_latency(context.left, mode, &least, &most)
        unsafe cjack_set_port_latency(
            context.midi, mode, least + context.latencyFrames, most + context.latencyFrames)
    }
}
