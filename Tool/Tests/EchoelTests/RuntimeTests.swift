import Foundation
import Inference
import Models
import Testing

@testable import echoel

@Suite("Runtimes")
struct RuntimeTests {
    let home: TemporaryFolder
    var runtimes: RuntimeFolder { RuntimeFolder(path: home.file("runtimes")) }

    init() throws { home = try TemporaryFolder() }

    /// A wheel whose library is a text that says its version, and what is to be known of it.
    func package(
        _ name: String, version: String = "1.2.3", says: String = "1.2.3", library: String = "lib.so"
    ) throws -> (RuntimePackage, String) {
        let content = home.file("content-\(name)/onnxruntime/capi")
        try FileManager.default.createDirectory(atPath: content, withIntermediateDirectories: true)
        try Data(says.utf8).write(to: URL(fileURLWithPath: "\(content)/lib.so"))
        try Data("licence".utf8).write(to: URL(fileURLWithPath: "\(content)/../LICENSE"))
        let information = home.file("content-\(name)/\(name)-\(version).dist-info")
        try FileManager.default.createDirectory(atPath: information, withIntermediateDirectories: true)
        for (file, text) in [
            ("METADATA", "Metadata-Version: 2.1\nName: \(name)\nVersion: \(version)\n"),
            ("WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            ("RECORD", ""),
        ] { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(information)/\(file)")) }
        let wheel = home.file("\(name)-\(version)-py3-none-any.whl")
        let made = try PythonProgram(temporaryFolder: home.path).run([
            "-m", "zipfile", "-c", wheel, home.file("content-\(name)/onnxruntime"), information,
        ])
        #expect(made.isSuccess, "\(made.errors)")
        let digest = try FileDigest(of: wheel)
        return (
            RuntimePackage(
                name: name, version: version, purpose: "a test", project: name, folder: "onnxruntime/capi",
                libraries: [library],
                wheel: .init(
                    platform: "any", sha256: digest.sha256, bytes: digest.sizeBytes, unpackedBytes: 1 << 20)),
            wheel
        )
    }

    func installer(_ package: RuntimePackage, _ source: RuntimeInstaller.Source) -> RuntimeInstaller {
        RuntimeInstaller(folder: runtimes, package: package, source: source) { folder in
            (try? String(contentsOfFile: "\(folder)/libonnxruntime.so", encoding: .utf8)) ?? "nothing"
        }
    }

    /// That nothing but whole runtimes is there.
    func expectOnly(_ names: [String]) throws {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: runtimes.path)) ?? []
        #expect(entries.filter { $0 != "current" }.sorted() == names)
    }

    @Test(
        "are installed side by side; the first is taken into use, another when it is asked for, and removed when it is not"
    )
    func life() throws {
        let (one, oneWheel) = try package("one")
        let (two, twoWheel) = try package("two")
        #expect(try installer(one, .file(oneWheel)).install())
        #expect(runtimes.nameInUse == one.folderName)
        #expect(try installer(two, .file(twoWheel)).install())
        #expect(runtimes.nameInUse == one.folderName)
        #expect(try !installer(two, .file("/nowhere")).install())

        try runtimes.use(runtimes.find("two"))
        #expect(runtimes.installed.map(\.isInUse) == [false, true])
        let library = runtimes.path + "/current/libonnxruntime.so"
        #expect(FileManager.default.contents(atPath: library) != nil)
        #expect(FileManager.default.contents(atPath: "\(runtimes.path)/\(two.folderName)/LICENSE") != nil)

        let refused = #expect(throws: ToolError.self) { try runtimes.remove(runtimes.find("two")) }
        #expect(refused?.description.contains("echoel runtime use \(one.folderName)") == true)
        try runtimes.remove(runtimes.find("one"))
        try expectOnly([two.folderName])
    }

    @Test("of the same package are told apart by their versions, as numbers")
    func versions() throws {
        for name in ["cpu-1.9.0", "cpu-1.32.0"] {
            try FileManager.default.createDirectory(
                atPath: "\(runtimes.path)/\(name)", withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: "\(runtimes.path)/\(name)/libonnxruntime.so"))
        }
        #expect(try runtimes.find("cpu").name == "cpu-1.32.0")
        #expect(try runtimes.find("cpu-1.9.0").name == "cpu-1.9.0")
        let error = #expect(throws: ToolError.self) { try runtimes.find("cud") }
        #expect(error?.description.contains("cpu-1.32.0") == true)
    }

    @Test("take away what a killed installation or removal has left, once it is a day old")
    func leftovers() throws {
        let files = FileManager.default
        for (name, age) in [(".new.1", 90_000.0), (".removed.2", 90_000), (".new.3", 60), ("mine", 90_000)] {
            let folder = "\(runtimes.path)/\(name)"
            try files.createDirectory(atPath: "\(folder)/tmp", withIntermediateDirectories: true)
            try files.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: folder)
        }
        let (good, wheel) = try package("good")
        #expect(try installer(good, .file(wheel)).install())
        try expectOnly([".new.3", "good-1.2.3", "mine"])
    }

    @Test("whose wheel is another, cut short, without its library or of another version leave nothing")
    func damage() throws {
        let (good, wheel) = try package("good")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: wheel))
        let short = try home.write("short.whl", Array(bytes.prefix(bytes.count / 2)))
        let other = try home.write("other.whl", Array(bytes.dropLast() + [bytes.last! ^ 1]))
        for (file, word) in [
            (short, "\(bytes.count / 2) bytes"), (other, "SHA-256"), ("/nowhere.whl", "nowhere"),
        ] {
            let error = #expect(throws: ToolError.self) {
                try installer(good, .file(file)).install()
            }
            #expect(error?.description.contains(word) == true, "\(error.map(\.description) ?? "")")
            try expectOnly([])
        }
        for (package, word) in [
            (try package("lacking", library: "missing.so"), "missing.so"),
            (try package("wrong", says: "0.1"), "says"),
        ] {
            let error = #expect(throws: ToolError.self) {
                try installer(package.0, .file(package.1)).install()
            }
            #expect(error?.description.contains(word) == true, "\(error.map(\.description) ?? "")")
            try expectOnly([])
        }
        #expect(runtimes.nameInUse == nil)
    }

    @Test(
        "come from an index by HTTP; a truncated answer and a missing server are errors that name the remedy")
    func index() throws {
        let (package, wheel) = try package("echoeltest")
        let site = home.file("site/echoeltest")
        try FileManager.default.createDirectory(atPath: site, withIntermediateDirectories: true)
        let name = URL(fileURLWithPath: wheel).lastPathComponent
        try FileManager.default.copyItem(atPath: wheel, toPath: "\(site)/\(name)")
        try Data("<html><body><a href=\"\(name)\">\(name)</a></body></html>".utf8)
            .write(to: URL(fileURLWithPath: "\(site)/index.html"))
        let server = try FileServer(folder: home.file("site"))
        defer { server.stop() }

        func install() throws -> Bool {
            try installer(package, .index(server.address)).install()
        }
        // pip takes the file whatever it is; the hash tells.
        try Data(try Data(contentsOf: URL(fileURLWithPath: wheel)).prefix(100))
            .write(to: URL(fileURLWithPath: "\(site)/\(name)"))
        #expect(throws: ToolError.self) { try install() }
        try expectOnly([])

        try FileManager.default.removeItem(atPath: "\(site)/\(name)")
        try FileManager.default.copyItem(atPath: wheel, toPath: "\(site)/\(name)")
        #expect(try install())
        try expectOnly([package.folderName])

        try FileManager.default.removeItem(atPath: "\(runtimes.path)/\(package.folderName)")
        server.stop()
        let error = #expect(throws: ToolError.self) { try install() }
        #expect(error?.description.contains("--from") == true, "\(error.map(\.description) ?? "")")
        try expectOnly([])
    }

    @Test("that cannot be written or are not known are errors of one sentence")
    func refusals() throws {
        let (package, wheel) = try package("one")
        try Data().write(to: URL(fileURLWithPath: runtimes.path))
        let error = #expect(throws: ToolError.self) {
            try installer(package, .file(wheel)).install()
        }
        #expect(error?.description.contains("ECHOEL_HOME") == true)
        var huge = package
        huge = RuntimePackage(
            name: "huge", version: "1", purpose: "", project: "huge", folder: "", libraries: [],
            wheel: .init(platform: "any", sha256: package.wheel.sha256, bytes: 1 << 60, unpackedBytes: 0))
        try FileManager.default.removeItem(atPath: runtimes.path)
        let full = #expect(throws: ToolError.self) {
            try installer(huge, .file(wheel)).install()
        }
        #expect(full?.description.contains("left") == true)
        try expectOnly([])

        var tool = Tool()
        tool.environment["ECHOEL_HOME"] = home.path
        for arguments in [["install", "tpu"], ["use", "cpu"], ["remove", "cpu"]] {
            let outcome = try tool.run(["runtime"] + arguments)
            #expect(outcome.code == 1)
            #expect(outcome.errors.hasPrefix("echoel: "), "\(outcome.errors)")
        }
    }

    @Test("that are interrupted while they come leave nothing, and the command ends by the signal")
    func interruption() throws {
        guard let package = RuntimePackage.catalogue.first else { return }
        let name = "\(package.project)-\(package.version)-cp312-cp312-\(package.wheel.platform).whl"
        let site = home.file("site/\(package.project)")
        try FileManager.default.createDirectory(atPath: site, withIntermediateDirectories: true)
        try Data("<html><body><a href=\"\(name)\">\(name)</a></body></html>".utf8)
            .write(to: URL(fileURLWithPath: "\(site)/index.html"))
        let server = try FileServer(folder: home.file("site"))
        defer { server.stop() }
        var tool = Tool()
        tool.environment["ECHOEL_HOME"] = home.path
        tool.environment["PIP_FIND_LINKS"] = ""
        tool.environment["PIP_DEFAULT_TIMEOUT"] = "60"
        let process = try tool.start(
            ["runtime", "install", package.name, "--index", server.address],
            output: URL(fileURLWithPath: home.file("out")), errors: URL(fileURLWithPath: home.file("err")))
        // Until the wheel is asked for, which never comes.
        while process.isRunning, !server.isStalled { usleep(20_000) }
        let said = try String(contentsOfFile: home.file("err"), encoding: .utf8)
        try #require(process.isRunning, "\(said)")
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(Tool.code(of: process) == 128 + SIGINT)
        try expectOnly([])
    }

    @Test("are listed for people and for programs")
    func list() throws {
        let (one, wheel) = try package("one")
        _ = try installer(one, .file(wheel)).install()
        var tool = Tool()
        tool.environment["ECHOEL_HOME"] = home.path
        let rows = try #require(
            try tool.run("runtime", "list", "--json").json()["runtimes"] as? [[String: Any]])
        let row = try #require(rows.first { $0["name"] as? String == one.folderName })
        #expect(row["inUse"] as? Bool == true && row["installed"] as? Bool == true)
        #expect(rows.count == 1 + RuntimePackage.catalogue.count)
        let line = try tool.run("runtime").output.split(separator: "\n").first {
            $0.hasPrefix("\(one.folderName) ")
        }
        #expect(line?.contains(" in use ") == true)
    }
}

/// Serves a folder by HTTP on this machine. A wheel that is not there never ends, and a file `stalled` tells of it.
final class FileServer {
    let address: String
    private let folder: String
    private let process = Process()

    var isStalled: Bool { FileManager.default.fileExists(atPath: "\(folder)/stalled") }

    init(folder: String) throws {
        self.folder = folder
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-u", "-c",
            """
            import functools, http.server as h, os, time
            folder = "\(folder)"
            class Handler(h.SimpleHTTPRequestHandler):
                def do_GET(self):
                    if not self.path.endswith(".whl") or os.path.exists(folder + self.path): return super().do_GET()
                    self.send_response(200)
                    self.send_header("Content-Length", "1000000")
                    self.end_headers()
                    self.wfile.write(b"PK")
                    open(folder + "/stalled", "w").close()
                    time.sleep(1000)
            s = h.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
            print(s.server_port)
            s.serve_forever()
            """,
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        address = "http://127.0.0.1:\(line.trimmingCharacters(in: .whitespacesAndNewlines))/"
    }

    func stop() {
        guard process.isRunning else { return }
        // Threads of tests block other signals, which what they start inherits.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
