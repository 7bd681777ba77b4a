import Foundation
import TestSupport
import Testing

@testable import Inference

@Suite struct RuntimeSearchTests {
    let folder = try! TemporaryFolder()

    /// No place to look at but the given ones.
    func surroundings(_ variables: [String: String], executable: String? = nil) -> OnnxRuntime.Surroundings {
        .init(
            variable: { variables[$0] }, executable: executable,
            loaderNames: ["libechoel-has-no-such-library.so"],
            homebrewPrefixes: [])
    }

    @Test func theLibraryIsOpenedOnceAndDescribesItself() throws {
        let runtime = try OnnxRuntime.open()
        #expect(try OnnxRuntime.open() === runtime)
        #expect(try OnnxRuntime.open(library: runtime.path) === runtime)
        #expect(runtime.version.split(separator: ".").count >= 3)
        #expect(runtime.availableProviders.contains("CPUExecutionProvider"))
        #expect(FileManager.default.fileExists(atPath: runtime.path))
    }

    @Test func itIsFoundBesideTheExecutableInTheDataFolderAndByName() throws {
        let runtime = try OnnxRuntime.open()
        let places = [
            "bin", "home/runtimes/current", "data/echoel/runtimes/current",
            ".local/share/echoel/runtimes/current",
        ]
        for place in places {
            try FileManager.default.createDirectory(
                atPath: "\(folder.path)/\(place)", withIntermediateDirectories: true)
            #if os(Linux)
                let name = place == "bin" ? "libonnxruntime.so.1.99.0" : "libonnxruntime.so"
            #else
                let name = "libonnxruntime.dylib"
            #endif
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder.path)/\(place)/\(name)", withDestinationPath: runtime.path)
        }
        let path = folder.path
        #expect(
            try OnnxRuntime.open(library: nil, in: surroundings([:], executable: "\(path)/bin/echoel"))
                === runtime)
        #expect(
            try OnnxRuntime.open(library: nil, in: surroundings(["ECHOEL_HOME": "\(path)/home"])) === runtime)
        #if os(Linux)
            #expect(
                try OnnxRuntime.open(library: nil, in: surroundings(["XDG_DATA_HOME": "\(path)/data"]))
                    === runtime)
            #expect(try OnnxRuntime.open(library: nil, in: surroundings(["HOME": path])) === runtime)
        #endif
        #expect(
            try OnnxRuntime.open(library: nil, in: surroundings(["ECHOEL_ONNXRUNTIME": runtime.path]))
                === runtime)
        #expect(try OnnxRuntime.open(library: "\(path)/bin") === runtime)
    }

    @Test func theDataFolderIsEchoelsOwnThenTheSystems() {
        let all = ["ECHOEL_HOME": "/e", "XDG_DATA_HOME": "/x", "HOME": "/h"]
        let places = OnnxRuntime.places(in: surroundings(all, executable: "/opt/bin/echoel")).map(\.text)
        #expect(
            places == ["/opt/bin", "/e/runtimes/current", "libechoel-has-no-such-library.so (system loader)"])
    }

    /// A plugin may bring the library along: the executable is its host's.
    @Test func aNeighbourComesBeforeTheExecutable() {
        var around = surroundings([:], executable: "/opt/bin/host")
        around.neighbour = "/plugins/libechoel.so"
        #expect(OnnxRuntime.places(in: around).map(\.text).prefix(2) == ["/plugins", "/opt/bin"])
    }

    @Test func withoutALibraryEveryPlaceIsListedWithTheRemedy() {
        let error = #expect(throws: InferenceError.self) {
            try OnnxRuntime.open(
                library: nil,
                in: surroundings(["ECHOEL_HOME": "/nowhere/at/all"], executable: "/no/bin/echoel"))
        }
        #expect(error?.code == .libraryNotFound)
        for part in ["/no/bin", "/nowhere/at/all/runtimes/current", "script/bootstrap", "ECHOEL_ONNXRUNTIME"]
        {
            #expect(error?.message.contains(part) == true, "\(part) in \(error.map(\.message) ?? "")")
        }
    }

    @Test func aLibraryThatIsNamedIsTheOnlyOneTried() {
        let missing = "\(folder.path)/libonnxruntime.so"
        for open in [
            { try OnnxRuntime.open(library: missing) },
            { try OnnxRuntime.open(library: nil, in: surroundings(["ECHOEL_ONNXRUNTIME": missing])) },
            { try OnnxRuntime.open(library: self.folder.path) },
        ] {
            let error = #expect(throws: InferenceError.self) { try open() }
            #expect(error?.code == .libraryNotFound)
            #expect(error?.message.contains(folder.path) == true)
            #expect(error?.message.contains("Tried") == false)
        }
        #expect(throws: InferenceError.self) { try MLEngine(library: missing).initialize(.cpu) }
    }

    @Test func whatIsNoLibraryIsRefused() throws {
        for bytes in [
            [], Array("not a library".utf8), Array("\u{7F}ELF".utf8) + [UInt8](repeating: 7, count: 500),
        ] {
            let path = try folder.write("libonnxruntime.so", bytes)
            let error = #expect(throws: InferenceError.self) { try OnnxRuntime.open(library: path) }
            #expect(error?.code == .notOnnxRuntime)
            #expect(error?.message.contains(path) == true)
        }
    }

    @Test func anotherLibraryIsRefused() throws {
        let path = try compile("int echoel_test_nothing(void) { return 0; }", as: "libother.so")
        let error = #expect(throws: InferenceError.self) { try OnnxRuntime.open(library: path) }
        #expect(error?.code == .notOnnxRuntime)
        #expect(error?.message.contains(path) == true)
        for base in ["0", "&empty"] {
            let source = """
                static const struct { void *slots[2]; } empty;
                const void *OrtGetApiBase(void) { (void)empty; return \(base); }
                """
            let path = try compile(source, as: "libbase\(base.count).so")
            let error = #expect(throws: InferenceError.self) { try OnnxRuntime.open(library: path) }
            #expect(error?.code == .notOnnxRuntime)
        }
    }

    @Test func aRuntimeThatIsTooOldIsNamedWithItsVersion() throws {
        let path = try compile(
            """
            static const void *api(unsigned version) { return version <= 2 ? "table" : 0; }
            static const char *version(void) { return "1.1.0"; }
            static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
            const void *OrtGetApiBase(void) { return &base; }
            """, as: "libold.so")
        let error = #expect(throws: InferenceError.self) { try OnnxRuntime.open(library: path) }
        #expect(error?.code == .libraryTooOld)
        #expect(error?.message.contains("1.1.0") == true)
        #expect(error?.message.contains(path) == true)
        // In a search it does not hide that nothing usable was found.
        let home = "\(folder.path)/home"
        try FileManager.default.createDirectory(
            atPath: "\(home)/runtimes/current", withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: path, toPath: "\(home)/runtimes/current/libonnxruntime.so")
        let searched = #expect(throws: InferenceError.self) {
            try OnnxRuntime.open(library: nil, in: surroundings(["ECHOEL_HOME": home]))
        }
        #expect(searched?.code == .libraryTooOld)
    }

    /// Compiles C into a shared library in the test's folder.
    func compile(_ source: String, as name: String) throws -> String {
        let file = try folder.write("\(name).c", Array(source.utf8))
        let library = "\(folder.path)/\(name)"
        // Swift's own toolchain carries clang; where it is not on the PATH, the system's compiler does.
        let script = "command -v clang >/dev/null && c=clang || c=cc; exec $c -shared -fPIC -o \"$1\" \"$2\""
        try #require(
            try spawn("/bin/sh", "-c", script, "sh", library, file) == 0,
            "a C compiler is needed: clang or cc")
        return library
    }

    /// Runs a program to its end; its status. (Foundation's `Process` leaks, which the address sanitizer reports.)
    func spawn(_ arguments: String...) throws -> Int32 {
        var pointers = unsafe arguments.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        var process: pid_t = 0
        let started = unsafe posix_spawn(&process, arguments[0], nil, nil, pointers, environ)
        try #require(started == 0)
        var status: Int32 = -1
        unsafe waitpid(process, &status, 0)
        return status
    }
}
