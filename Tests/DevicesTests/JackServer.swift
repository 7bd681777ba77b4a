import Devices

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A JACK server without a sound card, of a name of its own, for as long as it is held.
final class JackServer {
    static let program: String? = {
        let places: [String] = ["/usr/bin/jackd", "/usr/local/bin/jackd", "/opt/homebrew/bin/jackd"]
        return places.first { place in unsafe access(place, X_OK) == 0 }
    }()
    /// What connects two clients.
    static let connector: String? = {
        let path = "/usr/bin/jack_connect"
        return unsafe access(path, X_OK) == 0 ? path : nil
    }()
    static let name = "echoel-test-\(getpid())"

    private var process: pid_t = 0

    init(sampleRate: Int = 48_000, blockFrames: Int = 256) {
        // Clients of this process find it by its name.
        unsafe setenv("JACK_DEFAULT_SERVER", Self.name, 1)
        let program = Self.program ?? "jackd"
        let line = "\(program) -n \(Self.name) -r --no-mlock -S -d dummy -r \(sampleRate) -p \(blockFrames)"
        // Not by Foundation, whose processes leave memory behind that Address Sanitizer counts.
        let words: [String] = ["sh", "-c", "exec \(line) >/dev/null 2>&1"]
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { word in unsafe strdup(word) }
        unsafe arguments.append(nil)
        let failed = unsafe posix_spawn(&process, "/bin/sh", nil, nil, &arguments, environ)
        precondition(failed == 0, "\(program) does not start")
        for place in words.indices { unsafe free(arguments[place]) }
    }

    /// A device on it; it takes a moment to be there, on a busy machine a long one.
    static func client(_ name: String, ports: JackDevice.Ports = .player) throws(DeviceError) -> JackDevice {
        for _ in 0..<300 {
            do throws(DeviceError) {
                return try JackDevice(name: name, ports: ports)
            } catch {
                if error.code != .noServer { throw error }
                usleep(100_000)
            }
        }
        return try JackDevice(name: name, ports: ports)
    }

    func end() {
        if process == 0 { return }
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
        process = 0
    }

    deinit { end() }
}
