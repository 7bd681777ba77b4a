import Testing

@testable import Inference

@Suite struct TensorTests {
    @Test func everyHalfIsAFloatAndBack() {
        for bits in UInt16.min...UInt16.max {
            let value = Half.float(bits)
            #expect(Half.isFinite(bits) == value.isFinite)
            if value.isNaN {
                #expect(Half.float(Half.bits(value)).isNaN)
            } else {
                #expect(Half.bits(value) == bits)
            }
        }
        #expect(Half.float(0x3C00) == 1)
        #expect(Half.float(0xC000) == -2)
        #expect(Half.float(0x0001) == 0x1p-24)
        #expect(Half.float(0x7BFF) == 65504)
    }

    @Test func floatsAreRoundedToTheNearestHalf() {
        #expect(Half.bits(65519.9) == 0x7BFF)
        #expect(Half.bits(65520) == 0x7C00)
        #expect(Half.bits(1 + 0x1p-11) == 0x3C00)  // half way, to even
        #expect(Half.bits(1 + 3 * 0x1p-11) == 0x3C02)
        #expect(Half.bits(0x1p-25) == 0)
        #expect(Half.bits(0x1.8p-25) == 1)
        #expect(Half.bits(-0.0) == 0x8000)
        #expect(Half.bits(2047.9999) == Half.bits(2048))
        #if !(os(macOS) && arch(x86_64))
            var bits: UInt32 = 1
            for _ in 0..<100_000 {
                bits = bits &* 1_664_525 &+ 1_013_904_223
                let value = Float(bitPattern: bits)
                if !value.isNaN { #expect(Half.bits(value) == Float16(value).bitPattern, "\(value)") }
            }
        #endif
    }

    @Test func aTensorHoldsWhatItsShapeSays() throws {
        let scalar = try Tensor([7] as [Float], shape: [])
        #expect(scalar.count == 1)
        #expect(try Tensor([] as [Int64], shape: [0, 4]).integers == [])
        #expect(try Tensor([1, 2] as [Int32], shape: [2]).floats == nil)
        #expect(try Tensor([1, 2] as [Float], shape: [2]).integers == nil)
        for shape in [[3], [2, 2], [-1], [.max, .max], []] {
            let error = #expect(throws: InferenceError.self) { try Tensor([1, 2] as [Float], shape: shape) }
            #expect(error?.code == .shapeMismatch)
        }
        let bytes = #expect(throws: InferenceError.self) {
            try Tensor(elementType: .float32, shape: [1], bytes: [1, 2, 3])
        }
        #expect(bytes?.code == .shapeMismatch)
        let string = #expect(throws: InferenceError.self) { try Tensor.zeros(.string, shape: [1]) }
        #expect(string?.code == .typeUnsupported)
    }

    @Test func elementTypesHaveTheirNamesAndSizes() {
        #expect(ElementType.float32.name == "float32")
        #expect(ElementType.float64.name == "float64")
        #expect(ElementType.bfloat16.name == "bfloat16")
        #expect(ElementType.allCases.filter(\.isRunnable) == [.float32, .int32, .int64, .float16])
        for type in ElementType.allCases where type.isRunnable { #expect(type.byteCount != nil) }
    }
}

@Suite struct DimensionExpressionTests {
    @Test(arguments: [
        ("batch", 3), ("8*slots", 16), ("slots*8", 16), ("128*slots + 7", 263), ("2*(batch + slots)", 10),
        ("slots - 1", 1), ("12", 12), ("((2))", 2), ("s77.x*2", 10),
    ])
    func anAxisFollowsFromOthers(text: String, value: Int) {
        let sizes = ["batch": 3, "slots": 2, "s77.x": 5]
        #expect(DimensionExpression.value(of: text) { sizes[$0] ?? -1000 } == value)
    }

    @Test func aDimensionsSizeNeedsAllItsNames() {
        #expect(Dimension.fixed(4).size([:]) == 4)
        #expect(Dimension.dynamic("8*slots").size(["slots": 2]) == 16)
        #expect(Dimension.dynamic("8*slots").size(["batch": 2]) == nil)
        #expect(Dimension.dynamic("8*slots").size(["batch": 2], others: 1) == 8)
        #expect(Dimension.dynamic("a/2").size(["a/2": 3]) == 3)
        #expect(Dimension.dynamic("a/2").size(["a": 2]) == nil)
        #expect(
            Dimension.dynamic(nil).size(["a": 2]) == nil && Dimension.dynamic(nil).size([:], others: 1) == 1)
    }

    @Test(arguments: [
        "", " ", "*", "2*", "(2", "2)", "a b", "1-2", "a/2", "99999999999999999999", "9223372036854775807*2",
        String(repeating: "(", count: 100_000),
    ])
    func whatIsNoExpressionHasNoValue(text: String) {
        #expect(DimensionExpression.value(of: text) { _ in 1 } == nil)
    }
}

@Suite struct LatencyStatisticsTests {
    @Test func percentilesAreByNearestRank() {
        let statistics = LatencyStatistics(milliseconds: (1...100).map(Double.init).shuffled())
        #expect(statistics.runs == 100)
        #expect(statistics.averageMilliseconds == 50.5)
        #expect(statistics.fastestMilliseconds == 1)
        #expect(statistics.p50Milliseconds == 50)
        #expect(statistics.p95Milliseconds == 95)
        #expect(statistics.p99Milliseconds == 99)
        #expect(statistics.maxMilliseconds == 100)
        #expect(LatencyStatistics(milliseconds: [3]).p99Milliseconds == 3)
        #expect(LatencyStatistics(milliseconds: []).p99Milliseconds == 0)
    }

    @Test func realTimeIsNinetyNineInAHundredUnderTwentyMilliseconds() {
        var log = LatencyLog()
        #expect(log.metrics.isRealtime)
        log.add(nanoseconds: 500_000_000)  // the first run is slow
        #expect(!log.metrics.isRealtime)
        for _ in 0..<99 { log.add(nanoseconds: 19_000_000) }
        #expect(log.metrics.isRealtime)
        #expect(log.metrics.peakMilliseconds == 500)
        #expect(log.metrics.totalInferences == 100)
        for _ in 0..<2000 { log.add(nanoseconds: 21_000_000) }
        #expect(!log.metrics.isRealtime)
        #expect(log.metrics.p50Milliseconds == 21)
        #expect(log.metrics.totalInferences == 2100)
    }
}
