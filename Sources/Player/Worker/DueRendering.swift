internal import Inference
internal import NeuralSynth
internal import Realtime

/// What a worker has to do after a block: the slices that have become due.
///
/// Where it comes too late, the slices that nobody hears any more are left out: the lag does not last.
///
/// Room: worker.
@safe struct DueRendering {
    let renderer: NeuralVoiceRenderer
    let signals: UnsafeMutablePointer<RenderSignals>

    func run() throws(InferenceError) {
        while true {
            let skipped = unsafe renderer.skip(until: signals.pointee.heard.read())
            if skipped > 0 { unsafe signals.pointee.skippedSlices.add(skipped) }
            let slice = renderer.renderedUntil
            guard unsafe try renderer.renderSlice(until: signals.pointee.known.read()) else { return }
            let heard = unsafe signals.pointee.heard.read()
            unsafe signals.pointee.slack.add(
                signals.pointee.clock.samplesLeft(
                    until: slice, played: heard, rate: signals.pointee.slack.sampleRate))
            let lateness = heard - slice
            if lateness > 0 {
                unsafe signals.pointee.lateSlices.add(1)
                unsafe signals.pointee.worstLateness.raise(to: lateness)
            }
        }
    }
}
