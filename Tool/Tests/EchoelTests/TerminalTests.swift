import Devices
import Player
import Testing

@testable import echoel

@Suite("What the terminal shows")
struct TerminalTests {
    @Test("a progress bar has the rate and the time that remains")
    func progress() {
        #expect(
            Progress.line("song.mid", 60, of: 240, elapsedSeconds: 5)
                == "song.mid  [######------------------]  25 %  12.0× real time  0:15 left")
        #expect(
            Progress.line("a", 0, of: 10, elapsedSeconds: 0) == "a  [------------------------]  0 %")
        #expect(Progress.line("a", 3, of: 0, elapsedSeconds: 1).contains("100 %"))
        #expect(
            Progress.line("cpu", 14_000_000, of: 28_000_000, .bytes, elapsedSeconds: 7)
                == "cpu  [############------------]  50 %  2.0 MB/s  0:07 left")
        #expect(Progress.clock(3723) == "1:02:03")
        #expect(Progress.clock(.infinity) == "99:59:59")
    }

    @Test("a live meter has the voices, the level and what went wrong")
    func meter() {
        var device = DeviceStatus()
        (device.load, device.worstLoad, device.xruns) = (0.031, 0.114, 2)
        #expect(
            LiveMeter.line("5 voices", peak: 0.5, missed: 128, slackMilliseconds: 3.66, device: device)
                == "5 voices  -6.0 dB  CPU 3 % (worst 11 %)  slack 3.7 ms  late 128  xruns 2")
        device.isFreewheeling = true
        let line = LiveMeter.line("", peak: 0, missed: 0, slackMilliseconds: -1, device: device)
        #expect(line.contains("silent") && line.contains("slack none") && line.hasSuffix("freewheeling"))
    }

    @Test("a table's columns are aligned")
    func table() {
        var table = Table([.left, .right, .left], header: ["NAME", "KEYS", "TITLE"])
        table.add("oboe", "9", "Oboe")
        table.add("a", "100", "")
        #expect(table.text == "NAME  KEYS  TITLE\noboe     9  Oboe\na      100")
    }

    @Test("text from outside cannot steer the terminal")
    func clean() {
        #expect(Terminal.clean("a\u{1B}[31mb\r\nc\u{202E}d\u{7}") == "a\u{FFFD}[31mb c\u{FFFD}d\u{FFFD}")
        #expect(Terminal.clean("Übung 🎺") == "Übung 🎺")
    }

    @Test("a processor is described by its flags")
    func processor() {
        let x86 = CPU.facts(
            cpuinfo: "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nflags\t\t: fpu avx2 fma avx512f\n")
        #expect(x86.model == "Some CPU @ 3 GHz")
        #expect(x86.features == ["AVX2", "FMA", "AVX-512"])
        let arm = CPU.facts(cpuinfo: "processor\t: 0\nFeatures\t: fp asimd asimddp\n")
        #expect(arm.model == nil)
        #expect(arm.features == ["NEON", "dot product"])
        #expect(CPU.facts(cpuinfo: "").features.isEmpty)
    }
}
