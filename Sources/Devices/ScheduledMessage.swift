public import Realtime

/// A message and the sample of event time at which it happens.
public struct ScheduledMessage: BitwiseCopyable, Sendable, Equatable {
    public var sample: Int
    public var message: ChannelMessage

    @_noLocks
    public init(sample: Int, message: ChannelMessage) {
        self.sample = sample
        self.message = message
    }
}
