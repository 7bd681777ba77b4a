import Devices
import Foundation
import NeuralSynth
import Player
import Realtime
import Streaming
import TestSupport
import Testing

@Suite(
    "JACK", .serialized,
    .enabled(if: JackServer.program != nil, "jackd is not installed (apt-get install jackd2)"))
struct JackDeviceTests {
    private func wait(_ what: String, for condition: () -> Bool) {
        for _ in 0..<200 where !condition() { usleep(50_000) }
        #expect(condition(), "\(what) within ten seconds")
    }

    private func player(_ device: JackDevice, lookAhead: Int = 4096) throws -> LivePlayer {
        var configuration = NeuralSynthConfiguration()
        configuration.sliceSamples = 128
        return try LivePlayer(
            instruments: try ModelFolder.fixtures.instruments(["sine"]), configuration: configuration,
            live: LiveConfiguration(
                blockFrames: device.blockFrames, lookAheadSamples: lookAhead, sampleRate: device.sampleRate))
    }

    @Test func withoutAServerItSaysHowToStartOne() throws {
        unsafe setenv("JACK_DEFAULT_SERVER", "\(JackServer.name)-none", 1)
        let error = #expect(throws: DeviceError.self) { _ = try JackDevice(name: "test") }
        #expect(error?.code == .noServer && error?.description.contains("jackd -d") == true)
    }

    @Test func aSongIsPlayedAndFades() throws {
        let server = JackServer(blockFrames: 128)
        defer { server.end() }
        let device = try JackServer.client("test")
        #expect(device.sampleRate == 48_000 && device.blockFrames == 128)
        let live = try player(device)
        #expect(!device.schedule(ScheduledMessage(sample: 0, message: ChannelMessage.lettingGo[0])))
        try device.start(live)
        let noteOn = ChannelMessage(status: 0x90, data1: 69, data2: 100)
        #expect(device.schedule(ScheduledMessage(sample: 12_000, message: noteOn)))
        #expect(device.connectToMachine().count >= 2)
        wait("the note is heard") { live.status.level > 0.01 }
        #expect(live.status.voices == 1)
        device.fadeOut()
        wait("the sound has faded") { device.hasFaded }
        #expect(device.status.frames > 12_000 && device.status.refusedBlocks == 0)
        #expect(device.status.worstLoad > 0)
        device.close()
        #expect(device.hasFaded && device.connectToMachine().isEmpty)
        #expect(throws: DeviceError.self) { try device.start(live) }
    }

    @Test func aPlayerForAnotherRateIsRefused() throws {
        let server = JackServer(sampleRate: 44_100)
        defer { server.end() }
        let device = try JackServer.client("test")
        var other = LiveConfiguration(blockFrames: device.blockFrames)
        for rate in [nil, 48_000, 96_000] {
            other.sampleRate = rate
            let live = try LivePlayer(
                instruments: try ModelFolder.fixtures.instruments(["sine"]), configuration: .init(),
                live: other)
            let error = #expect(throws: DeviceError.self) { try device.start(live) }
            #expect(error?.code == .unsuitable && error?.description.contains("\(rate ?? 48_000)") == true)
        }
        device.close()
    }

    @Test(arguments: [44_100, 96_000]) func aNoteIsPlayedAtTheServersRate(rate: Int) throws {
        let server = JackServer(sampleRate: rate)
        defer { server.end() }
        let device = try JackServer.client("test")
        #expect(device.sampleRate == rate)
        let live = try player(device)
        #expect(live.latency.resampling > 0 && live.player.sampleRate == rate)
        try device.start(live)
        let noteOn = ChannelMessage(status: 0x90, data1: 69, data2: 100)
        #expect(device.schedule(ScheduledMessage(sample: rate / 4, message: noteOn)))
        wait("the note is heard") { live.status.level > 0.01 }
        #expect(live.status.voices == 1 && live.status.frames >= rate / 4)
        device.fadeOut()
        wait("the sound has faded") { device.hasFaded }
        #expect(device.status.refusedBlocks == 0)
        device.close()
    }

    @Test func aServersEndIsToldAndAnotherIsTaken() throws {
        var server = JackServer()
        let device = try JackServer.client("test")
        try device.start(try player(device))
        wait("it plays") { device.status.frames > 0 }
        server.end()
        wait("the end is told") { device.status.hasShutDown }
        #expect(device.hasFaded)
        device.close()
        server = JackServer(blockFrames: 64)
        defer { server.end() }
        let again = try JackServer.client("test")
        try again.start(try player(again))
        wait("the next one plays") { again.status.frames > 0 }
        again.close()
    }
}
