public import Realtime

/// What has happened since a live player was started, in samples of the instruments' rate. Each is counted by itself: they
/// are not of one instant.
public struct LiveStatus: Sendable, Equatable {
    /// Of the block that was played last, and the most so far.
    public var voices: Int
    public var voicesPeak: Int
    /// The loudest sample of the block that was played last, linear.
    public var level: Float
    /// Notes for which there was no room.
    public var droppedNotes: Int
    /// Frames that were concealed, because the worker had not rendered them.
    public var missedFrames: Int
    /// Slices that came too late for the block that plays their beginning, and slices that were left out.
    public var lateSlices: Int
    public var skippedSlices: Int
    /// The most by which a slice was late, in samples.
    public var worstLatenessSamples: Int
    /// How long before the block that plays its beginning each slice was there.
    public var slack: Slack
    /// Whether the worker runs ahead of other programs.
    public var workerIsRealtime: Bool
    /// Frames played, of the host.
    public var frames: Int

    public init(
        voices: Int, voicesPeak: Int, level: Float, droppedNotes: Int, missedFrames: Int, lateSlices: Int,
        skippedSlices: Int, worstLatenessSamples: Int, slack: Slack, workerIsRealtime: Bool, frames: Int
    ) {
        self.voices = voices
        self.voicesPeak = voicesPeak
        self.level = level
        self.droppedNotes = droppedNotes
        self.missedFrames = missedFrames
        self.lateSlices = lateSlices
        self.skippedSlices = skippedSlices
        self.worstLatenessSamples = worstLatenessSamples
        self.slack = slack
        self.workerIsRealtime = workerIsRealtime
        self.frames = frames
    }
}
