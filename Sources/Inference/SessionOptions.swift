/// How a model is loaded and run.
public struct SessionOptions: Sendable, Hashable {
    /// Threads inside one operator, the calling one included, 1…1024. With 1, a run stays on the thread that calls it.
    public var intraOpThreads: Int
    /// Threads across independent operators, 1…1024.
    public var interOpThreads: Int
    public var graphOptimization: GraphOptimization
    /// Whether idle threads of a run spin instead of sleeping: less latency, a whole core each.
    public var allowSpinning: Bool
    public var acceleration: AccelerationType
    /// What counts where that is `auto`.
    public var auto: AutoOptions
    /// What counts where that is, or becomes, an NVIDIA processor.
    public var cuda: CUDAOptions
    /// What counts where that is TensorRT.
    public var tensorRT: TensorRTOptions
    /// What counts where that is OpenVINO, or OpenCL by it.
    public var openVINO: OpenVINOOptions
    /// How near the results have to be to those of ONNX Runtime's own kernels in float32: the least signal-to-noise ratio, in
    /// dB. Where it is set and something else runs the model, loading runs both on noise (dynamic axes as
    /// `AutoOptions.dimensions` has them) and refuses what is farther; not a model that is recorded as a CUDA graph.
    public var leastDecibels: Double?
    /// Options of any other provider, by ONNX Runtime's own names.
    public var others: [String: String]
    /// Whether loading runs the model once or twice and refuses one that computes NaN or infinity; not one whose runs are
    /// recorded as a CUDA graph, nor one that another session, or the cache, knows to have passed.
    public var probe: Bool
    /// Whether operators of our own run what a model carries as functions besides; on a CPU only.
    public var ownOperators: Bool
    /// Where the model is kept as it has been optimised, for the next process that loads it; what the CPU runs alone.
    public var cache: GraphCache
    /// Whether sessions of one content and the same options have their weights in common, and load at once but for the first;
    /// what the CPU runs with one thread alone.
    public var sharesWeights: Bool

    /// What ONNX Runtime may rewrite in the graph. The raw values are its own.
    public enum GraphOptimization: Int, Sendable, Hashable {
        case none = 0
        case basic = 1
        case extended = 2
        case all = 99
    }

    public init(
        intraOpThreads: Int = 1, interOpThreads: Int = 1, graphOptimization: GraphOptimization = .all,
        allowSpinning: Bool = false, acceleration: AccelerationType = .cpu,
        auto: AutoOptions = .init(), cuda: CUDAOptions = .init(),
        tensorRT: TensorRTOptions = .init(), openVINO: OpenVINOOptions = .init(),
        others: [String: String] = [:], leastDecibels: Double? = nil,
        probe: Bool = true, ownOperators: Bool = true, cache: GraphCache = .automatic,
        sharesWeights: Bool = true
    ) {
        self.intraOpThreads = intraOpThreads
        self.interOpThreads = interOpThreads
        self.graphOptimization = graphOptimization
        self.allowSpinning = allowSpinning
        self.acceleration = acceleration
        self.auto = auto
        self.cuda = cuda
        self.tensorRT = tensorRT
        self.openVINO = openVINO
        self.others = others
        self.leastDecibels = leastDecibels
        self.probe = probe
        self.ownOperators = ownOperators
        self.cache = cache
        self.sharesWeights = sharesWeights
    }
}
