import Devices
import Foundation
import Inference
import NeuralSynth
import Player
import Realtime
import Streaming
import TestSupport
import Testing

/// The echo of both channels: 32 samples late, half and a quarter as loud, and once more 300 samples later.
func echo(hop: Int = 256) throws -> EffectModel {
    try EffectModel(
        [Session(OnnxRuntime.open(), model: fixture("echo_effect.onnx"))],
        EffectDescription(
            sampleRate: 44_100, channels: 2, hop: hop, delaySamples: 32,
            methods: [
                .init(
                    input: .init(name: "audio", shape: [1, 2, hop]),
                    output: .init(name: "echo", shape: [1, 2, hop]),
                    states: [StateDescription(input: "state_past", output: "next_past", shape: [2, 332])])
            ]))
}

/// What comes out of rows that are read and written block by block.
func render(_ effect: OfflineEffect, _ rows: [[Float]]) throws -> [[Float]] {
    var heard = [[Float]](repeating: [], count: rows.count)
    var position = 0
    try effect.render(
        read: { block in
            let count = min(block[0].count, rows[0].count - position)
            for row in rows.indices {
                block[row].replaceSubrange(..<count, with: rows[row][position..<position + count])
            }
            position += count
            return count
        },
        write: { block, count in
            for row in rows.indices { heard[row] += block[row] }
            #expect(block[0].count == count)
        })
    return heard
}

@Suite("Effects offline")
struct OfflineEffectTests {

    @Test(arguments: [0, 1, 512, 5000])
    func theSoundIsAsLongAndInTime(frames: Int) throws {
        let rows = (0..<2).map { row in (0..<frames).map { Float($0 * (row + 2) % 101) } }
        let effect = try OfflineEffect(echo(), channels: 2, sampleRate: 44_100)
        for _ in 0..<2 {
            let heard = try render(effect, rows)
            for (row, gain) in zip(0..<2, [Float(0.5), 0.25]) {
                #expect(
                    heard[row]
                        == (0..<frames).map { gain * (rows[row][$0] + ($0 < 300 ? 0 : rows[row][$0 - 300])) })
            }
        }
        #expect(effect.latency.model == 32)
    }

    @Test func channelsThatTheModelDoesNotHaveAreRefused() throws {
        let model = try echo()
        for channels in [0, 1, 3, 17] {
            let error = #expect(throws: InferenceError.self) {
                _ = try OfflineEffect(model, channels: channels, sampleRate: 44_100)
            }
            #expect(error?.message.contains("\(channels)") == true)
        }
    }
}

extension JackDeviceTests {
    private func wait(for condition: () -> Bool) -> Bool {
        for _ in 0..<200 where !condition() { usleep(50_000) }
        return condition()
    }

    private func connect(_ source: String, _ destination: String) {
        let words: [String] = [JackServer.connector ?? "", "-s", JackServer.name, source, destination]
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { word in unsafe strdup(word) }
        unsafe arguments.append(nil)
        var process: pid_t = 0
        if unsafe posix_spawn(&process, words[0], nil, nil, &arguments, environ) == 0 {
            waitpid(process, nil, 0)
        }
        for place in words.indices { unsafe free(arguments[place]) }
    }

    /// A note of a player into an effect at another rate: it is heard there, quieter on the right.
    @Test(.enabled(if: JackServer.connector != nil, "jack_connect is not installed"))
    func soundGoesThroughAnEffect() throws {
        let server = JackServer(blockFrames: 128)
        defer { server.end() }
        let device = try JackServer.client("effect", ports: .effect(channels: 2))
        let live = try LiveEffect(
            echo(), channels: 2, sampleRate: device.sampleRate,
            configuration: EffectConfiguration(blockFrames: device.blockFrames, workSamples: 256))
        #expect(live.latency.resampling > 0 && live.latency.model > 0)
        try device.start(live)
        #expect(device.connectToMachine().count == 4)

        let source = try JackDevice(name: "source")
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128
        let player = try LivePlayer(
            instruments: try ModelFolder.fixtures.instruments(["sine"]), configuration: configuration,
            live: LiveConfiguration(blockFrames: source.blockFrames, lookAheadSamples: 4096))
        #expect(throws: DeviceError.self) { try device.start(player) }
        #expect(throws: DeviceError.self) { try source.start(live) }
        try source.start(player)
        for (output, input) in [("out_left", "in_1"), ("out_right", "in_2")] {
            connect("\(source.name):\(output)", "\(device.name):\(input)")
        }
        let noteOn = ChannelMessage(status: 0x90, data1: 69, data2: 100)
        #expect(source.schedule(ScheduledMessage(sample: 4_800, message: noteOn)))
        var (input, output) = (Float(0), Float(0))
        let isHeard = wait {
            let status = live.status
            (input, output) = (max(input, status.inputLevel), max(output, status.outputLevel))
            return output > 0.01
        }
        #expect(isHeard && input > 0.01)
        device.fadeOut()
        #expect(wait { device.hasFaded })
        #expect(live.slot.failure == nil && device.status.frames > 0)
        source.close()
        device.close()
    }

    @Test func anEffectOfTooManyChannelsIsRefused() {
        for channels in [0, 17] {
            let error = #expect(throws: DeviceError.self) {
                _ = try JackDevice(name: "effect", ports: .effect(channels: channels))
            }
            #expect(error?.code == .unsuitable)
        }
    }
}
