#if canImport(AudioToolbox) && canImport(CoreMIDI)
    internal import AudioToolbox
    public import Player
    internal import Realtime

    /// The machine's output by Core Audio, and its MIDI inputs by Core MIDI: stereo out for a player. Blocks have any length up
    /// to `blockFrames`, so the player is made for blocks that vary.
    ///
    /// ```swift
    /// let device = try CoreAudioDevice()
    /// let live = try LivePlayer(
    ///     …, live: LiveConfiguration(
    ///         blockFrames: device.blockFrames, blocksVary: true, sampleRate: device.sampleRate))
    /// try device.start(live)
    /// ```
    ///
    /// Not verified: nobody has run it yet.
    ///
    /// Room: control, one thread.
    @safe public final class CoreAudioDevice: @unchecked Sendable {
        // Sendable: the driver's threads see only the context, which is made for it.
        /// Hz.
        public let sampleRate: Int
        /// The most frames of a block.
        public let blockFrames: Int

        private let unit: AudioUnit
        private var context: UnsafeMutablePointer<Context>?
        private var midi: CoreMIDIInput?
        /// What is played, kept for as long as the driver may ask for it.
        private var played: LivePlayer?

        /// What the render callback gets.
        @safe struct Context: ~Copyable {
            var block: DeviceBlock
            let messages: Unmanaged<CoreMIDIInput.Inbox>
            let player: Unmanaged<Player>
            let sampleRate: Double
        }

        /// Opens the default output; nothing is played yet.
        ///
        /// - Throws: `refused`.
        public init() throws(DeviceError) {
            var description = AudioComponentDescription(
                componentType: kAudioUnitType_Output, componentSubType: kAudioUnitSubType_DefaultOutput,
                componentManufacturer: kAudioUnitManufacturer_Apple, componentFlags: 0, componentFlagsMask: 0)
            var made: AudioUnit?
            guard let component = unsafe AudioComponentFindNext(nil, &description),
                unsafe AudioComponentInstanceNew(component, &made) == noErr, let unit = unsafe made
            else {
                throw DeviceError(
                    .refused, "There is no default output. Choose one in the system's sound settings.")
            }
            do throws(DeviceError) {
                let format: AudioStreamBasicDescription = try unsafe Self.get(
                    kAudioUnitProperty_StreamFormat, kAudioUnitScope_Output, of: unit,
                    AudioStreamBasicDescription())
                let frames: UInt32 = try unsafe Self.get(
                    kAudioUnitProperty_MaximumFramesPerSlice, kAudioUnitScope_Global, of: unit, 0)
                sampleRate = Int(format.mSampleRate)
                blockFrames = min(max(Int(frames), 1), 4096)
            } catch {
                unsafe AudioComponentInstanceDispose(unit)
                throw error
            }
            unsafe self.unit = unit
        }

        deinit {
            stop()
            unsafe AudioComponentInstanceDispose(unit)
        }

        /// Plays `live` from now on, and what comes in at all MIDI inputs.
        ///
        /// - Throws: `unsuitable`, `refused`.
        public func start(_ live: LivePlayer) throws(DeviceError) {
            guard live.player.sampleRate == sampleRate, live.player.maximumBlockFrames >= blockFrames else {
                throw DeviceError(
                    .unsuitable,
                    "The output runs at \(sampleRate) Hz in blocks of up to \(blockFrames) frames, and the player was made "
                        + "for \(live.player.sampleRate) Hz and \(live.player.maximumBlockFrames) frames. Make it for the "
                        + "device (LiveConfiguration.sampleRate, blockFrames, blocksVary).")
            }
            stop()
            let midi = try CoreMIDIInput(client: "echoel")
            let context = UnsafeMutablePointer<Context>.allocate(capacity: 1)
            unsafe context.initialize(
                to: Context(
                    block: DeviceBlock(
                        maximumFrames: live.player.maximumBlockFrames, sampleRate: sampleRate, outputs: 2),
                    messages: .passUnretained(midi.inbox), player: .passUnretained(live.player),
                    sampleRate: Double(sampleRate)))
            unsafe self.context = context
            (self.midi, played) = (midi, live)
            do throws(DeviceError) {
                try unsafe Self.set(
                    kAudioUnitProperty_StreamFormat, kAudioUnitScope_Input, of: unit,
                    AudioStreamBasicDescription(
                        mSampleRate: Double(sampleRate), mFormatID: kAudioFormatLinearPCM,
                        mFormatFlags: kAudioFormatFlagsNativeFloatPacked | kAudioFormatFlagIsNonInterleaved,
                        mBytesPerPacket: 4, mFramesPerPacket: 1, mBytesPerFrame: 4, mChannelsPerFrame: 2,
                        mBitsPerChannel: 32, mReserved: 0))
                try unsafe Self.set(
                    kAudioUnitProperty_SetRenderCallback, kAudioUnitScope_Input, of: unit,
                    AURenderCallbackStruct(inputProc: coreAudioRender, inputProcRefCon: context))
                try unsafe Self.check(AudioUnitInitialize(unit), "initialised")
                try unsafe Self.check(AudioOutputUnitStart(unit), "started")
            } catch {
                stop()
                throw error
            }
        }

        /// Ends at once; `fadeOut` comes before it where it is to be heard.
        public func stop() {
            unsafe AudioOutputUnitStop(unit)
            unsafe AudioUnitUninitialize(unit)
            midi?.close()
            unsafe context?.deinitialize(count: 1)
            unsafe context?.deallocate()
            unsafe context = nil
            (midi, played) = (nil, nil)
        }

        /// Gives the player a message for a frame since `start`; false where there is no room yet.
        public func schedule(_ message: ScheduledMessage) -> Bool {
            unsafe context?.pointee.block.scheduled.push(message) ?? false
        }

        /// Lets the sound fade within 50 ms.
        public func fadeOut() { unsafe context?.pointee.block.stopping.publish(1) }

        /// Whether the sound has faded, or nothing is played.
        public var hasFaded: Bool {
            unsafe context.map { unsafe $0.pointee.block.hasFaded.read() != 0 } ?? true
        }

        public var status: DeviceStatus {
            var status = DeviceStatus()
            status.blockFrames = blockFrames
            guard let context = unsafe context else { return status }
            unsafe status.frames = context.pointee.block.frames.read()
            unsafe status.load = Double(context.pointee.block.load.read()) / 1e6
            unsafe status.worstLoad = Double(context.pointee.block.worstLoad.read()) / 1e6
            unsafe status.ignoredMessages =
                context.pointee.block.ignored.read() + (midi?.inbox.ignored.read() ?? 0)
            unsafe status.refusedBlocks = context.pointee.block.refused.read()
            return status
        }

        private static func get<Value>(
            _ property: AudioUnitPropertyID, _ scope: AudioUnitScope, of unit: AudioUnit, _ blank: Value
        ) throws(DeviceError) -> Value {
            var value = blank
            var size = UInt32(MemoryLayout<Value>.size)
            try check(
                unsafe AudioUnitGetProperty(unit, property, scope, 0, &value, &size), "asked for \(property)")
            return value
        }

        private static func set<Value>(
            _ property: AudioUnitPropertyID, _ scope: AudioUnitScope, of unit: AudioUnit, _ value: Value
        ) throws(DeviceError) {
            var value = value
            try check(
                unsafe AudioUnitSetProperty(
                    unit, property, scope, 0, &value, UInt32(MemoryLayout<Value>.size)), "told \(property)")
        }

        private static func check(_ status: OSStatus, _ what: String) throws(DeviceError) {
            guard status != noErr else { return }
            throw DeviceError(
                .refused,
                "The default output cannot be \(what) (error \(status)). Choose another in the system's sound settings."
            )
        }
    }
#endif
