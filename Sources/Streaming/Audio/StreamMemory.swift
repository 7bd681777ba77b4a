internal import Realtime
internal import Synchronization

/// What the audio thread and a worker share of one stream: the sound as it came in, the model's hops, and how far each is.
///
/// Stream time is samples since the start, at the model's rate. Both rings are as long as the closed form of the delay
/// says, and no longer: of the input what a hop needs that is started a block after it should be heard, and what is heard in
/// the place of one that is missing; of the output what has not been heard yet. The worker reads a hop's input while audio
/// may come round and write over it: so the input is made of atomics, and whoever has read it asks afterwards whether it
/// was still there.
///
/// Room: audio and worker, one thread each; `init` and `deinit` control.
@safe struct StreamMemory: ~Copyable {
    let channels: Int
    let hop: Int
    /// Samples that a run sees, the hop's and those before.
    let window: Int
    /// Stream time from a sample's arrival to its output's, without and with the model's own delay.
    let delay, totalDelay: Int

    private let input: UnsafeMutablePointer<Atomic<UInt32>>
    private let inputCount: Int
    /// The most that audio writes before it says how far it is.
    private let blockFrames: Int
    private let output: UnsafeMutablePointer<Float>
    private let outputCount: Int
    /// For each place of a hop, which one is there, counted from 1.
    private let hops: UnsafeMutablePointer<Atomic<Int>>
    private let places: Int

    /// Where the stream began, at its start or with the last reset: a multiple of the hop. Audio publishes it.
    let base = PublishedValue()
    /// How far audio is: all before has come in, and what is `delay` before that has been heard.
    let written = PublishedValue()
    /// When that was: audio says it.
    let clock = BlockClock()
    let lateHops = Counter()
    let skippedHops = Counter()
    let worstLateness = Counter()
    /// Whether a worker works on it.
    let isTaken = Atomic<Bool>(false)
    /// The hop that is next; whoever has taken it writes it.
    let next = Atomic<Int>(0)

    init(channels: Int, hop: Int, window: Int, delay: Int, totalDelay: Int, blockFrames: Int) {
        self.channels = channels
        self.hop = hop
        self.window = window
        self.delay = delay
        self.totalDelay = totalDelay
        self.blockFrames = blockFrames
        inputCount = max(totalDelay, delay + window - hop) + 2 * blockFrames
        unsafe input = .allocate(capacity: channels * inputCount)
        for i in 0..<channels * inputCount { unsafe (input + i).initialize(to: Atomic(0)) }
        // A hop is written once all of it has come in: audio is then at most `delay` before its end.
        outputCount = max(delay, hop)
        unsafe output = .allocate(capacity: channels * outputCount)
        unsafe output.initialize(repeating: 0, count: channels * outputCount)
        places = (delay + blockFrames) / hop + 3
        unsafe hops = .allocate(capacity: places)
        for i in 0..<places { unsafe (hops + i).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe input.deinitialize(count: channels * inputCount)
        unsafe input.deallocate()
        unsafe output.deallocate()
        unsafe hops.deinitialize(count: places)
        unsafe hops.deallocate()
    }

    /// A multiple of the hop from which on no place holds a hop of before `time`.
    @_noLocks
    func restart(after time: Int) -> Int { (time / hop + 1 + places) * hop }

    // Audio

    @_noLocks
    func come(_ samples: UnsafePointer<Float>, count: Int, at time: Int, channel: Int) {
        // Whoever reads a sample of this block also sees how far audio was before it: `take` asks for that.
        atomicMemoryFence(ordering: .releasing)
        let row = channel * inputCount
        var place = time % inputCount
        for i in 0..<count {
            unsafe input[row + place].store(samples[i].bitPattern, ordering: .relaxed)
            place = place + 1 == inputCount ? 0 : place + 1
        }
    }

    /// What came in `totalDelay` before `count` samples from `time` on; nothing before `base`.
    @_noLocks
    func dry(
        _ samples: inout MutableSpan<Float>, from first: Int, count: Int, at time: Int, base: Int,
        channel: Int
    ) {
        let row = channel * inputCount
        for i in 0..<count {
            let came = time - totalDelay + i
            samples[first + i] =
                came < base
                ? 0 : unsafe Float(bitPattern: input[row + came % inputCount].load(ordering: .relaxed))
        }
    }

    /// Whether the model's output of that hop is there.
    @_noLocks
    func isThere(_ hop: Int) -> Bool { unsafe hops[hop % places].load(ordering: .acquiring) == hop + 1 }

    @_noLocks
    func wet(
        _ samples: inout MutableSpan<Float>, from first: Int, count: Int, hop number: Int, offset: Int,
        channel: Int
    ) {
        let row = channel * outputCount
        var place = (number * hop + offset) % outputCount
        for i in 0..<count {
            samples[first + i] = unsafe output[row + place]
            place = place + 1 == outputCount ? 0 : place + 1
        }
    }

    // Worker

    /// Copies a hop's window, silent before `base`; false where audio has meanwhile come round.
    func take(_ number: Int, base: Int, into samples: UnsafeMutablePointer<Float>) -> Bool {
        let first = (number + 1) * hop - window
        let silent = min(max(base - first, 0), window)
        for channel in 0..<channels {
            let row = channel * inputCount
            for i in 0..<silent { unsafe samples[channel * window + i] = 0 }
            var place = (first + silent) % inputCount
            for i in silent..<window {
                unsafe samples[channel * window + i] = unsafe Float(
                    bitPattern: input[row + place].load(ordering: .relaxed))
                place = place + 1 == inputCount ? 0 : place + 1
            }
        }
        atomicMemoryFence(ordering: .acquiring)
        return written.read() - first <= inputCount - blockFrames
    }

    /// Leaves a hop for audio: the first samples of each channel's row.
    func put(_ number: Int, from samples: UnsafePointer<Float>, row rowSamples: Int) {
        for channel in 0..<channels {
            let row = channel * outputCount
            let place = number * hop % outputCount
            let count = min(hop, outputCount - place)
            unsafe (output + row + place).update(from: samples + channel * rowSamples, count: count)
            unsafe (output + row).update(from: samples + channel * rowSamples + count, count: hop - count)
        }
        unsafe hops[number % places].store(number + 1, ordering: .releasing)
    }
}
