import Devices
import MusicIO
import Realtime
import Testing

@testable import echoel

@Suite("Who plays which channel")
struct PlanTests {
    @Test("a bare name plays every channel but percussion")
    func bare() throws {
        let assignment = try InstrumentAssignment(parsing: "strings")
        let plan = ChannelPlan(assignment, names: assignment.allNames)
        #expect(plan.start == (0..<16).map { $0 == 9 ? nil : 0 })
        #expect(plan.pinned == [9])
        #expect(plan.isSilent(channel: 9))
        #expect(!plan.isSilent(channel: 8))
    }

    @Test("CHANNEL=NAME pins a channel; further bare names are only loaded")
    func pinned() throws {
        let assignment = try InstrumentAssignment(parsing: "strings, 2=trumpet,flute,10=drum,16=strings")
        #expect(assignment.names == ["strings", "flute"])
        #expect(assignment.allNames == ["strings", "flute", "trumpet", "drum"])
        let plan = ChannelPlan(assignment, names: assignment.allNames)
        #expect(plan.start[0] == 0)
        #expect(plan.start[1] == 2)
        #expect(plan.start[9] == 3)
        #expect(plan.pinned == [1, 9, 15])
    }

    @Test("without a bare name the other channels wait for a program change")
    func pinnedOnly() throws {
        let assignment = try InstrumentAssignment(parsing: "2=trumpet")
        let plan = ChannelPlan(assignment, names: assignment.allNames)
        #expect(plan.start.compactMap { $0 } == [0])
        #expect(!plan.isSilent(channel: 0))
    }

    @Test(
        "wrong lists are refused",
        arguments: ["", ",", "a,,b", "0=a", "17=a", "x=a", "2=", "2=a,2=b", "-1=a", "2=a,"])
    func wrong(_ text: String) {
        #expect(throws: InstrumentAssignment.Failure.self) { try InstrumentAssignment(parsing: text) }
    }

    private func timed(_ seconds: Double, _ channel: UInt8, _ kind: ChannelEvent.Kind) -> TimedMIDIEvent {
        TimedMIDIEvent(seconds: seconds, event: ChannelEvent(channel: channel, kind: kind))
    }

    @Test("a piece ends with its last message, or with the file where a key is still down")
    func end() throws {
        let plan = ChannelPlan(try InstrumentAssignment(parsing: "a"), names: ["a"])
        let on = timed(1, 0, .noteOn(key: 60, velocity: 1))
        let off = timed(2, 0, .noteOff(key: 60, velocity: 0))
        let drum = timed(3, 9, .noteOn(key: 60, velocity: 1))
        let released = Piece(
            MIDIPerformance(events: [on, off, drum], durationSeconds: 9), sampleRate: 1000, plan: plan)
        #expect(released.endSample == 2001)
        #expect(released.notes == 1)
        #expect(released.skippedNotes == [10: 1])
        #expect(released.messages.map(\.sample) == [1000, 2000])
        let held = Piece(MIDIPerformance(events: [on], durationSeconds: 9), sampleRate: 1000, plan: plan)
        #expect(held.endSample == 9000)
    }

    @Test("channel messages keep their bytes")
    func messages() {
        let kinds: [(ChannelEvent.Kind, [UInt8])] = [
            (.noteOn(key: 60, velocity: 100), [0x93, 60, 100]),
            (.noteOff(key: 60, velocity: 1), [0x83, 60, 1]),
            (.polyPressure(key: 1, pressure: 2), [0xA3, 1, 2]),
            (.controlChange(controller: 64, value: 127), [0xB3, 64, 127]),
            (.programChange(program: 56), [0xC3, 56, 0]), (.channelPressure(pressure: 7), [0xD3, 7, 0]),
            (.pitchBend(value: 0), [0xE3, 0, 64]), (.pitchBend(value: -8192), [0xE3, 0, 0]),
            (.pitchBend(value: 8191), [0xE3, 127, 127]),
        ]
        for (kind, bytes) in kinds {
            let message = ChannelMessage(ChannelEvent(channel: 3, kind: kind))
            #expect([message.status, message.data1, message.data2] == bytes)
        }
    }
}
