#if os(Linux)
    import Foundation

    extension CPU {
        static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

        static func facts() -> Facts {
            facts(cpuinfo: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
        }
    }
#endif
