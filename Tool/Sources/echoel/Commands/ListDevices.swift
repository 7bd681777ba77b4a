import ArgumentParser
import Devices

struct ListDevices: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Shows what there is to play on.",
        discussion: """
            Example: for another program to read:

              echoel devices --json
            """)

    @OptionGroup var report: ReportOptions

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        let system: String
        let isRunning: Bool
        /// Why not, where it is not running.
        let problem: String?
        let sampleRate, blockFrames: Int?
        let isRealtime: Bool?
        let outputs, midiInputs: [String]
    }

    func run() throws {
        let found: Report
        do throws(DeviceError) {
            let device = try JackDevice(name: "echoel-devices")
            found = Report(
                system: "JACK", isRunning: true, problem: nil, sampleRate: device.sampleRate,
                blockFrames: device.blockFrames, isRealtime: device.isRealtime,
                outputs: device.machineOutputs, midiInputs: device.machineMIDIInputs)
        } catch {
            guard error.code == .noServer || error.code == .missingLibrary else { throw error }
            found = Report(
                system: "JACK", isRunning: false, problem: error.description, sampleRate: nil,
                blockFrames: nil,
                isRealtime: nil, outputs: [], midiInputs: [])
        }
        if report.json { return try Terminal.result(json: found) }
        guard found.isRunning, let rate = found.sampleRate, let block = found.blockFrames else {
            return try Terminal.result("JACK: \(found.problem ?? "not running")")
        }
        var lines = [
            "JACK: \(rate) Hz, \(block) frames a block, "
                + (found.isRealtime == true ? "real-time priority" : "without real-time priority")
        ]
        lines += found.outputs.map { "  output      \(Terminal.clean($0))" }
        lines += found.midiInputs.map { "  MIDI input  \(Terminal.clean($0))" }
        try Terminal.result(lines.joined(separator: "\n"))
    }
}
