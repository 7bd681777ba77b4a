/// What the processor offers to arithmetic.
enum CPU {
    /// For example `AMD EPYC, x86-64, 2 cores, AVX2, FMA, AVX-512`.
    static func describe() -> String {
        let system = facts()
        return
            ([system.model ?? "unknown processor", architecture, "\(cores) core\(cores == 1 ? "" : "s")"]
            + system.features).joined(separator: ", ")
    }

    struct Facts {
        var model: String?
        /// As people write them: `AVX2`, `NEON`.
        var features: [String] = []
    }

    private static var architecture: String {
        #if arch(x86_64)
            "x86-64"
        #elseif arch(arm64)
            "ARM64"
        #else
            "another architecture"
        #endif
    }

    /// What `/proc/cpuinfo` says of its first processor.
    static func facts(cpuinfo: String) -> Facts {
        let wanted = [
            ("avx2", "AVX2"), ("fma", "FMA"), ("avx512f", "AVX-512"), ("avx512_vnni", "AVX-512 VNNI"),
            ("amx_bf16", "AMX"), ("asimd", "NEON"), ("asimddp", "dot product"), ("sve", "SVE"),
            ("bf16", "BF16"),
        ]
        var facts = Facts()
        for line in cpuinfo.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let key = parts[0].trimming
            let value = parts[1].trimming
            if key == "model name", facts.model == nil { facts.model = value }
            if key == "flags" || key == "Features", facts.features.isEmpty {
                let flags = Set(value.split(separator: " ").map(String.init))
                facts.features = wanted.filter { flags.contains($0.0) }.map(\.1)
            }
        }
        return facts
    }
}

extension Substring {
    fileprivate var trimming: String {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
