internal import CRealtime

/// How a live player is cut into blocks, and how far its worker runs ahead. Frames and samples are the host's.
public struct LiveConfiguration: Sendable, Equatable {
    /// The most frames of a block, 1…4096.
    public var blockFrames: Int
    /// Whether blocks may have any number of frames up to that, as in a plugin; devices give equally long ones.
    public var blocksVary: Bool
    /// Samples that the worker has to render in, on top of the block that it takes at least, 0…65536.
    public var lookAheadSamples: Int
    /// SCHED_FIFO's, 1…99, where the system permits it.
    public var workerPriority: Int
    /// Threads that render, 1…8: a chord's voices are divided among them. The sound does not depend on it.
    public var workers: Int
    /// Of the host, a device or a program: Hz, 8000…384,000; nil where it is the instruments'. Where they differ, messages
    /// and sound are brought from one to the other.
    public var sampleRate: Int?

    public static let sampleRates = 8000...384_000
    /// Two where the program may run on two processors or more, else one.
    public static let defaultWorkers = min(2, Int(rt_processor_count()))

    public init(
        blockFrames: Int = 128, blocksVary: Bool = false, lookAheadSamples: Int = 128,
        workerPriority: Int = 60, workers: Int = LiveConfiguration.defaultWorkers, sampleRate: Int? = nil
    ) {
        self.blockFrames = blockFrames
        self.blocksVary = blocksVary
        self.lookAheadSamples = lookAheadSamples
        self.workerPriority = workerPriority
        self.workers = workers
        self.sampleRate = sampleRate
    }
}
