/// What a device has done since it was started. Each is counted by itself: they are not of one instant.
public struct DeviceStatus: Sendable, Equatable {
    /// Frames played.
    public var frames = 0
    /// Times that the server says it came too late, ours or another program's doing.
    public var xruns = 0
    /// How long the last block took, and the longest so far, as a share of the block's own duration.
    public var load = 0.0
    public var worstLoad = 0.0
    /// Messages that came too thick, or in forms that no instrument knows.
    public var ignoredMessages = 0
    /// Blocks that could not be played, because the server had changed their size.
    public var refusedBlocks = 0
    /// Whether the server renders as fast as it can, instead of in real time.
    public var isFreewheeling = false
    /// Whether the server is gone.
    public var hasShutDown = false
    /// Frames per block, as the server has it now.
    public var blockFrames = 0

    public init() {}
}
