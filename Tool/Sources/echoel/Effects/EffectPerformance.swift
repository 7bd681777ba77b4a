import Devices
import Foundation
import Inference
import Streaming

/// A device's sound sent through a model, until Ctrl-C or the given time.
struct EffectPerformance {
    private var model: EffectModel
    let channels: Int
    let workSamples: Int?
    let workers: Int
    let concealment: EffectConfiguration.Policy
    let isConnected: Bool
    let endSeconds: Double?
    /// Looks for the model's changes; nil where nobody asked for it.
    private var watch: EffectWatch?
    private var meter = LiveMeter()
    private var summary = EffectSummary()

    init(
        model: EffectModel, channels: Int, workSamples: Int?, workers: Int,
        concealment: EffectConfiguration.Policy,
        isConnected: Bool, endSeconds: Double?, watch: EffectWatch? = nil
    ) {
        self.model = model
        self.channels = channels
        self.workSamples = workSamples
        self.workers = workers
        self.concealment = concealment
        self.isConnected = isConnected
        self.endSeconds = endSeconds
        self.watch = watch
    }

    static func open(channels: Int) throws(DeviceError) -> JackDevice {
        try JackDevice(name: "echoel", ports: .effect(channels: channels))
    }

    mutating func run(on first: JackDevice) throws -> EffectSummary {
        let channels = channels
        var session = DeviceSession { () throws(DeviceError) in try Self.open(channels: channels) }
        try session.run(on: first) { device in
            defer { meter.finish() }
            return try play(on: device)
        }
        summary.restarts = session.restarts
        return summary
    }

    private mutating func play(on device: JackDevice) throws -> DeviceSession.Reason {
        let rate = device.sampleRate
        let streams = model.description.channels == 1 ? channels : 1
        let work =
            try workSamples
            ?? MeasuredWork.samples(of: model, sampleRate: rate, streams: streams, workers: workers)
        let live = try LiveEffect(
            model, channels: channels, sampleRate: rate,
            configuration: EffectConfiguration(
                blockFrames: device.blockFrames, workSamples: work, workers: workers, concealment: concealment
            ))
        let end = endSeconds.map { Int($0 * Double(rate)) - Int(summary.seconds * Double(rate)) }
        try device.start(live)
        let connected = isConnected ? device.connectToMachine() : []
        announce(device, live, connected)
        defer { device.stop() }
        var last = live.status
        let reason = try DeviceSession.watch(device, until: end) { status in
            if let failure = live.slot.failure { throw failure }
            try reload(live, streams: streams)
            last = live.status
            meter.update(
                "in \(LiveMeter.decibels(last.inputLevel))  out", level: last.outputLevel,
                missed: last.missedFrames, slack: last.slack, device: status)
        }
        summary.add(last, device, live)
        return reason
    }

    /// Takes the model's place with what its files have become, if they have; what cannot be played is told, and the model
    /// that plays plays on.
    private mutating func reload(_ live: LiveEffect, streams: Int) throws {
        guard watch?.hasChanged() == true, let watch else {
            live.slot.collect()
            return
        }
        meter.finish()
        do {
            let new = try watch.open()
            // Whether it keeps up; the look-ahead stays what it was made for.
            _ =
                try workSamples
                ?? MeasuredWork.samples(
                    of: new, sampleRate: live.sampleRate, streams: streams, workers: workers)
            try live.slot.swap(to: new)
            model = new
            Terminal.note("\(watch.name) has changed: the new model plays.")
        } catch {
            Terminal.note("\(watch.name) has changed and cannot be played; the old model plays on. \(error)")
        }
    }

    private func announce(_ device: JackDevice, _ live: LiveEffect, _ connected: [String]) {
        let latency = live.latency
        let milliseconds = (1000 * Double(latency.total) / Double(device.sampleRate)).formatted(decimals: 1)
        var parts = ["\(latency.buffering) for blocks and hops", "\(latency.lookAhead) for the model's work"]
        if latency.model > 0 { parts.append("\(latency.model) of the model's own") }
        if latency.resampling > 0 { parts.append("\(latency.resampling) for the change of rate") }
        Terminal.note(
            "JACK: \(device.sampleRate) Hz, \(device.blockFrames) frames a block; sound comes out \(latency.total) samples "
                + "(\(milliseconds) ms) after it came in: \(parts.joined(separator: ", ")). Inputs: \(device.name):in_1"
                + (channels > 1 ? " to in_\(channels)" : "")
                + (connected.isEmpty
                    ? "" : "; connected to \(connected.map(Terminal.clean).joined(separator: ", "))"))
    }
}

/// What was played.
struct EffectSummary: Encodable {
    // Others rely on these keys; more may be added.
    var seconds = 0.0
    var sampleRate = 0
    var blockFrames = 0
    var channels = 0
    /// With its parts.
    var latencySamples = 0
    var bufferingSamples = 0
    var modelSamples = 0
    var lookAheadSamples = 0
    var resamplingSamples = 0
    /// Frames that were concealed because the model was late, and how often that began.
    var missedFrames = 0
    var overloads = 0
    var lateHops = 0
    var skippedHops = 0
    /// Of the server, ours or another program's.
    var xruns = 0
    /// The longest block's share of the time that it had, in percent.
    var worstLoadPercent = 0.0
    var workersAreRealtime = false
    /// Because the server came back, or changed its blocks.
    var restarts = 0

    mutating func add(_ live: LiveEffectStatus, _ device: JackDevice, _ effect: LiveEffect) {
        let status = device.status
        seconds = (seconds + Double(status.frames) / Double(device.sampleRate)).rounded(decimals: 3)
        sampleRate = device.sampleRate
        blockFrames = device.blockFrames
        channels = effect.channels
        latencySamples = effect.latency.total
        bufferingSamples = effect.latency.buffering
        modelSamples = effect.latency.model
        lookAheadSamples = effect.latency.lookAhead
        resamplingSamples = effect.latency.resampling
        missedFrames += live.missedFrames
        overloads += live.overloads
        lateHops += live.lateHops
        skippedHops += live.skippedHops
        xruns += status.xruns
        worstLoadPercent = max(worstLoadPercent, 100 * status.worstLoad).rounded(decimals: 1)
        workersAreRealtime = effect.slot.realtimeWorkers > 0
    }

    var text: String {
        var text = "\(seconds.formatted(decimals: 1)) s, latency \(latencySamples) samples; "
        text +=
            missedFrames == 0
            ? "never late" : "\(missedFrames) frames concealed, in \(overloads) stretches (raise --work)"
        if xruns > 0 { text += "; \(xruns) xruns of the server" }
        return text
    }
}
