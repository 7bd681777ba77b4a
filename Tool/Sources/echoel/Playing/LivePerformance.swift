import Devices
import Foundation
import NeuralSynth
import Player
import Realtime
import Streaming

/// A performance on a device: the song is fed to it, the meter shown, and the server's end, return and changes of block
/// size are taken as they come. Ctrl-C ends it with a fade.
struct LivePerformance {
    private let instruments: [NeuralInstrument]
    private let configuration: NeuralSynthConfiguration
    private let lookAheadSamples, workers: Int
    private let isConnected: Bool
    /// How long to play; nil for ever, or until the song has ended.
    private let endSeconds: Double?
    /// In samples of `songRate`; a server that comes back may have another.
    private let song: [ScheduledMessage]
    private let songEnd: Int?
    private let songRate: Int
    private var meter = LiveMeter()
    private var summary = LiveSummary()

    /// The song begins so long after the device: its first messages are there by then.
    private static let leadSeconds = 0.2

    init(
        instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration, lookAheadSamples: Int,
        workers: Int,
        piece: Piece?, songRate: Int,
        isConnected: Bool, endSeconds: Double?
    ) {
        self.instruments = instruments
        self.configuration = configuration
        self.lookAheadSamples = lookAheadSamples
        self.workers = workers
        self.isConnected = isConnected
        self.endSeconds = endSeconds
        let end = piece.map(\.endSample)
        song =
            (piece?.messages.filter { $0.sample < (end ?? 0) } ?? [])
            + (end.map { end in ChannelMessage.lettingGo.map { ScheduledMessage(sample: end, message: $0) } }
                ?? [])
        songEnd = end
        self.songRate = songRate
    }

    mutating func run(on first: JackDevice) throws -> LiveSummary {
        var session = DeviceSession { () throws(DeviceError) in try JackDevice(name: "echoel") }
        var songStart = 0
        try session.run(on: first) { device in
            let outcome = try play(on: device, from: songStart)
            summary.add(outcome)
            meter.finish()
            songStart = outcome.songPosition
            return outcome.reason
        }
        summary.restarts = session.restarts
        return summary
    }

    struct Outcome {
        let reason: DeviceSession.Reason
        let songPosition: Int
        let seconds: Double
        let blockFrames: Int
        let latency: Latency
        let live: LiveStatus
        let device: DeviceStatus
    }

    /// Plays from a sample of the song on until something happens.
    private mutating func play(on device: JackDevice, from songStart: Int) throws -> Outcome {
        let live = try LivePlayer(
            instruments: instruments, configuration: configuration,
            live: LiveConfiguration(
                blockFrames: device.blockFrames, lookAheadSamples: lookAheadSamples, workers: workers,
                sampleRate: device.sampleRate))
        let rate = Double(device.sampleRate)
        let offset = Int(Self.leadSeconds * rate) - samples(songStart, on: device)
        var next = song.firstIndex { $0.sample >= songStart } ?? song.count
        let tail = Int((Double(instruments.map(\.releaseSeconds).max() ?? 0) * rate).rounded(.up))
        let end = [
            endSeconds.map { Int($0 * rate) - Int(summary.seconds * rate) },
            songEnd.map { samples($0, on: device) + offset + tail + live.latency.total },
        ].compactMap { $0 }.min()
        feed(device, &next, offset)
        try device.start(live)
        let connected = isConnected ? device.connectToMachine() : []
        announce(device, live, connected)
        defer { device.stop() }

        let reason = try DeviceSession.watch(device, until: end) { status in
            feed(device, &next, offset)
            if let failure = live.failure { throw failure }
            let played = live.status
            meter.update(
                "\(played.voices) voices", level: played.level, missed: played.missedFrames,
                slack: played.slack, device: status)
        }
        let status = device.status
        return Outcome(
            reason: reason, songPosition: max(status.frames - offset, 0) * songRate / device.sampleRate,
            seconds: Double(status.frames) / rate, blockFrames: device.blockFrames, latency: live.latency,
            live: live.status, device: status)
    }

    /// Gives the device as much of the song as it has room for.
    private func feed(_ device: JackDevice, _ next: inout Int, _ offset: Int) {
        while next < song.count,
            device.schedule(
                ScheduledMessage(
                    sample: samples(song[next].sample, on: device) + offset, message: song[next].message))
        {
            next += 1
        }
    }

    /// A sample of the song in samples of the device.
    private func samples(_ sample: Int, on device: JackDevice) -> Int {
        sample * device.sampleRate / songRate
    }

    private func announce(_ device: JackDevice, _ live: LivePlayer, _ connected: [String]) {
        let latency = live.latency.total
        let milliseconds = (1000 * Double(latency) / Double(device.sampleRate)).formatted(decimals: 1)
        Terminal.note(
            "JACK: \(device.sampleRate) Hz, \(device.blockFrames) frames a block; a note sounds \(latency) samples "
                + "(\(milliseconds) ms) after it is played. MIDI: \(device.name):midi_in"
                + (connected.isEmpty
                    ? "" : "; connected to \(connected.map(Terminal.clean).joined(separator: ", "))"))
    }
}

/// What was played.
struct LiveSummary: Encodable {
    // Others rely on these keys; more may be added.
    var seconds = 0.0
    var blockFrames = 0
    var latencySamples = 0
    var voicesPeak = 0
    /// Frames that were concealed because the neural network was late.
    var missedFrames = 0
    var lateSlices = 0
    var skippedSlices = 0
    var droppedNotes = 0
    var ignoredMessages = 0
    /// Of the server, ours or another program's.
    var xruns = 0
    /// The longest block's share of the time that it had, in percent.
    var worstLoadPercent = 0.0
    var workerIsRealtime = false
    /// Because the server came back, or changed its blocks.
    var restarts = 0

    mutating func add(_ outcome: LivePerformance.Outcome) {
        seconds = (seconds + outcome.seconds).rounded(decimals: 3)
        blockFrames = outcome.blockFrames
        latencySamples = outcome.latency.total
        voicesPeak = max(voicesPeak, outcome.live.voicesPeak)
        missedFrames += outcome.live.missedFrames
        lateSlices += outcome.live.lateSlices
        skippedSlices += outcome.live.skippedSlices
        droppedNotes += outcome.live.droppedNotes
        ignoredMessages += outcome.device.ignoredMessages
        xruns += outcome.device.xruns
        worstLoadPercent = max(worstLoadPercent, 100 * outcome.device.worstLoad).rounded(decimals: 1)
        workerIsRealtime = outcome.live.workerIsRealtime
    }

    var text: String {
        var text =
            "\(seconds.formatted(decimals: 1)) s, \(voicesPeak) voices at most, latency \(latencySamples) samples; "
        text += missedFrames == 0 ? "never late" : "\(missedFrames) frames concealed (raise --look-ahead)"
        if xruns > 0 { text += "; \(xruns) xruns of the server" }
        if droppedNotes > 0 { text += "; \(droppedNotes) notes found no room (raise --voices)" }
        return text
    }
}
