#if canImport(Darwin)
    import Foundation

    extension CPU {
        static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

        static func facts() -> Facts {
            let wanted = [
                ("hw.optional.avx2_0", "AVX2"), ("hw.optional.fma", "FMA"),
                ("hw.optional.avx512f", "AVX-512"),
                ("hw.optional.AdvSIMD", "NEON"), ("hw.optional.arm.FEAT_DotProd", "dot product"),
                ("hw.optional.arm.FEAT_BF16", "BF16"),
            ]
            return Facts(
                model: text("machdep.cpu.brand_string"), features: wanted.filter { isOn($0.0) }.map(\.1))
        }

        private static func isOn(_ name: String) -> Bool {
            var value: Int32 = 0
            var size = MemoryLayout<Int32>.size
            return unsafe sysctlbyname(name, &value, &size, nil, 0) == 0 && value == 1
        }

        private static func text(_ name: String) -> String? {
            var size = 0
            guard unsafe sysctlbyname(name, nil, &size, nil, 0) == 0, size > 1 else { return nil }
            var bytes = [UInt8](repeating: 0, count: size)
            guard unsafe sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
            return String(decoding: bytes.prefix(while: { $0 != 0 }), as: UTF8.self)
        }
    }
#endif
