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

/// A client of the JACK server (jackaudio.org; PipeWire is one too): stereo out and MIDI in for a player, as many inputs as
/// outputs for an effect.
///
/// ```swift
/// let device = try JackDevice(name: "echoel")
/// let live = try LivePlayer(
///     …, live: LiveConfiguration(blockFrames: device.blockFrames, sampleRate: device.sampleRate))
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

    /// What the client is for, and so which ports it has.
    public enum Ports: Sendable, Equatable {
        /// `midi_in`, `out_left`, `out_right`.
        case player
        /// `in_1`, `out_1` and so on: 1…16 channels.
        case effect(channels: Int)
    }

    public let ports: Ports

    private let client: OpaquePointer
    /// The MIDI input, or the inputs of sound.
    private let sources: UnsafeMutablePointer<OpaquePointer>
    private let sourceCount: Int
    private let outputs: UnsafeMutablePointer<OpaquePointer>
    private let outputCount: Int
    private let flags: UnsafeMutablePointer<Flags>
    private var block: UnsafeMutablePointer<DeviceBlock>?
    /// What is played, kept for as long as the server may ask for it.
    private var played: AnyObject?
    private var effect: UnsafeMutablePointer<EffectBlock>?

    private var context: UnsafeMutablePointer<Context>?

    /// Opens a client and its ports; nothing is played yet.
    ///
    /// - Throws: `missingLibrary`, `noServer`, `refused`, `unsuitable` for more than 16 channels or none.
    public init(name wanted: String, ports: Ports = .player) throws(DeviceError) {
        let (sourceNames, outputNames) = try Self.names(of: ports)
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
        let isEffect = ports != .player
        let sources = unsafe Self.register(sourceNames, isEffect ? CJACK_AUDIO_IN : CJACK_MIDI_IN, client)
        let outputs = unsafe Self.register(outputNames, CJACK_AUDIO_OUT, client)
        guard let sources = unsafe sources, let outputs = unsafe outputs else {
            unsafe cjack_close(client)
            unsafe sources?.deallocate()
            unsafe outputs?.deallocate()
            throw DeviceError(
                .refused, "The JACK server has no ports left for \(wanted). Close another client.")
        }
        self.ports = ports
        unsafe (self.sources, self.outputs) = unsafe (sources, outputs)
        (sourceCount, outputCount) = (sourceNames.count, outputNames.count)
        unsafe self.client = client
        name = unsafe String(cString: cjack_name(client))
        sampleRate = unsafe Int(cjack_sample_rate(client))
        blockFrames = unsafe Int(cjack_buffer_size(client))
        isRealtime = unsafe cjack_is_realtime(client) != 0
        unsafe flags = .allocate(capacity: 1)
        unsafe flags.initialize(to: Flags())
        unsafe flags.pointee.blockFrames.publish(blockFrames)
    }

    private static func names(of ports: Ports) throws(DeviceError) -> (sources: [String], outputs: [String]) {
        switch ports {
        case .player: return (["midi_in"], ["out_left", "out_right"])
        case .effect(let channels):
            guard 1...16 ~= channels else {
                throw DeviceError(
                    .unsuitable, "An effect of \(channels) channels cannot be played. Take 1 to 16.")
            }
            return ((1...channels).map { "in_\($0)" }, (1...channels).map { "out_\($0)" })
        }
    }

    /// Nil where the server has no more ports. To be deallocated by the caller.
    private static func register(
        _ names: [String], _ kind: cjack_port_kind, _ client: OpaquePointer
    ) -> UnsafeMutablePointer<OpaquePointer>? {
        let ports = UnsafeMutablePointer<OpaquePointer>.allocate(capacity: names.count)
        for (index, name) in names.enumerated() {
            guard let port = unsafe cjack_register(client, name, kind) else {
                unsafe ports.deallocate()
                return nil
            }
            unsafe (ports + index).initialize(to: port)
        }
        return unsafe ports
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
        unsafe sources.deallocate()
        unsafe outputs.deallocate()
    }

    /// Plays `live` from now on, on ports for a player.
    ///
    /// - Throws: `unsuitable`, `refused`.
    public func start(_ live: LivePlayer) throws(DeviceError) {
        guard live.player.sampleRate == sampleRate else {
            throw DeviceError(
                .unsuitable,
                "JACK runs at \(sampleRate) Hz, and the player was made for \(live.player.sampleRate) Hz. Make it for the "
                    + "device's rate (LiveConfiguration.sampleRate).")
        }
        guard ports == .player else { throw wrongPorts }
        try start(
            maximumFrames: live.player.maximumBlockFrames, latency: live.latency, keeping: live
        ) { unsafe .player(.passUnretained(live.player), .passUnretained(live)) }
    }

    /// Sends what comes in through `live` from now on, on ports for an effect of its channels.
    ///
    /// - Throws: `unsuitable`, `refused`.
    public func start(_ live: LiveEffect) throws(DeviceError) {
        guard live.sampleRate == sampleRate else {
            throw DeviceError(
                .unsuitable,
                "JACK runs at \(sampleRate) Hz, and the effect was made for \(live.sampleRate) Hz. Make it again."
            )
        }
        guard ports == .effect(channels: live.channels) else { throw wrongPorts }
        try start(maximumFrames: live.maximumBlockFrames, latency: live.latency, keeping: live) {
            let effect = UnsafeMutablePointer<EffectBlock>.allocate(capacity: 1)
            unsafe effect.initialize(to: EffectBlock(live))
            unsafe self.effect = effect
            return unsafe .effect(effect, .passUnretained(live))
        }
    }

    private var wrongPorts: DeviceError {
        DeviceError(.unsuitable, "The device \(name) was opened for something else (\(ports)). Open another.")
    }

    private func start(
        maximumFrames: Int, latency: Latency, keeping played: AnyObject, content: () -> Content
    ) throws(DeviceError) {
        guard isOpen else { throw DeviceError(.refused, "The device \(name) has been closed. Open another.") }
        stop()
        retire()
        self.played = played
        let block = UnsafeMutablePointer<DeviceBlock>.allocate(capacity: 1)
        unsafe block.initialize(
            to: DeviceBlock(maximumFrames: maximumFrames, sampleRate: sampleRate, outputs: outputCount))
        unsafe self.block = block
        let context = UnsafeMutablePointer<Context>.allocate(capacity: 1)
        unsafe context.initialize(
            to: Context(
                block: block, flags: flags, sources: sources, sourceCount: sourceCount, outputs: outputs,
                latencyFrames: UInt32(latency.total), content: content()))
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

    /// What was played, and what the server's threads knew of it.
    @safe private struct Played {
        let block: UnsafeMutablePointer<DeviceBlock>?
        let context: UnsafeMutablePointer<Context>?
        let effect: UnsafeMutablePointer<EffectBlock>?
        let object: AnyObject?

        func free() {
            unsafe block?.deinitialize(count: 1)
            unsafe block?.deallocate()
            unsafe context?.deinitialize(count: 1)
            unsafe context?.deallocate()
            unsafe effect?.deinitialize(count: 1)
            unsafe effect?.deallocate()
        }
    }

    /// A thread of the server may look at it until the client is closed.
    private var retired: [Played] = []

    /// Puts what was played aside.
    private func retire() {
        retired.append(unsafe Played(block: block, context: context, effect: effect, object: played))
        unsafe (block, context, effect) = (nil, nil, nil)
        played = nil
    }

    /// Lets go of everything that was played, once the client is closed.
    private func release() {
        retire()
        for played in retired { played.free() }
        retired = []
    }

    /// Connects the outputs to the machine's first ones; what comes in at its MIDI inputs to a player, and at its first
    /// inputs of sound to an effect.
    ///
    /// Returns the names of what was connected.
    public func connectToMachine() -> [String] {
        var connected: [String] = []
        for (place, output) in physicalPorts(CJACK_AUDIO_OUT).prefix(outputCount).enumerated()
        where unsafe cjack_connect(client, cjack_port_name(outputs[place]), output) == 0 {
            connected.append(output)
        }
        let isEffect = ports != .player
        let inputs = physicalPorts(isEffect ? CJACK_AUDIO_IN : CJACK_MIDI_IN)
        for (place, input) in inputs.enumerated() where !isEffect || place < sourceCount {
            let port = unsafe sources[isEffect ? place : 0]
            if unsafe cjack_connect(client, input, cjack_port_name(port)) == 0 { connected.append(input) }
        }
        return connected
    }

    /// The names of the machine's own outputs, its inputs of sound, and its MIDI inputs.
    public var machineOutputs: [String] { physicalPorts(CJACK_AUDIO_OUT) }
    public var machineInputs: [String] { physicalPorts(CJACK_AUDIO_IN) }
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

/// From the inputs to the outputs it takes what the player or the effect takes: the outputs are later than the inputs, and
/// it is longer until what comes in is out.
private func latenciesChanged(_ mode: Int32, _ context: UnsafeMutableRawPointer?) {
    let context = unsafe context!.assumingMemoryBound(to: JackDevice.Context.self).pointee
    let (sources, outputs) = unsafe (
        UnsafeBufferPointer(start: context.sources, count: context.sourceCount),
        UnsafeBufferPointer(start: context.outputs, count: context.block.pointee.outputCount)
    )
    let (from, to) = unsafe mode == 0 ? (sources, outputs) : (outputs, sources)
    var (least, most) = (UInt32.max, UInt32(0))
    for index in from.indices {
        var (portLeast, portMost): (UInt32, UInt32) = (0, 0)
        unsafe cjack_port_latency(from[index], mode, &portLeast, &portMost)
        (least, most) = (min(least, portLeast), max(most, portMost))
    }
    for index in to.indices {
        unsafe cjack_set_port_latency(
            to[index], mode, least &+ context.latencyFrames, most &+ context.latencyFrames)
    }
}
