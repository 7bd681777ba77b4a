// What a voice costs: VoiceBatcher, with its states gathered and scattered, beside the bare decoder.
//
//   swift run --package-path Benchmarks -c release voice-batcher [MODEL.onnx]
//
// Rounds of the two alternate; each figure is the median over the rounds, one thread.
import Inference
import Streaming

let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
let path = CommandLine.arguments.dropFirst().first ?? "\(root)/Models/NeuralSynth/rave_decoder_ensemble.onnx"
let rounds = 201

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// The description that a manifest would give, read off the model's own tensors.
func describe(_ session: Session) -> StreamingDecoderDescription {
    func size(_ tensor: TensorInfo, _ axis: Int) -> Int {
        if case .fixed(let size) = tensor.shape[axis] { size } else { 0 }
    }
    let latent = session.inputs.first { $0.name == "latent" }!
    let noise = session.inputs.first { $0.name == "noise" }!
    return StreamingDecoderDescription(
        sampleRate: 48_000, slotSamples: 128, maximumSlots: 16, delaySamples: 128,
        latentSize: size(latent, 1),
        noiseBands: size(noise, 1), noiseFramesPerSlot: 8,
        states: session.inputs.filter { $0.name.hasPrefix("state_") }.map { tensor in
            StateDescription(
                input: tensor.name, output: "next_" + tensor.name.dropFirst("state_".count),
                shape: tensor.shape.indices.dropFirst().map { size(tensor, $0) })
        })
}

/// The decoder bound on its own, as a floor.
func bind(_ session: Session, _ description: StreamingDecoderDescription, batch: Int, slots: Int) throws
    -> BoundRun
{
    func bindings(_ infos: [TensorInfo]) -> [BoundRun.Binding] {
        infos.map { info in
            var shape = info.shape.map { if case .fixed(let size) = $0 { size } else { 0 } }
            shape[0] = batch
            switch info.name {
            case "latent", "pitch": shape[2] = slots
            case "noise": shape[2] = slots * description.noiseFramesPerSlot
            case "audio": shape[2] = slots * description.slotSamples
            default: break
            }
            return .init(name: info.name, shape: shape, buffer: TensorBuffer(count: shape.reduce(1, *)))
        }
    }
    return try BoundRun(session, inputs: bindings(session.inputs), outputs: bindings(session.outputs))
}

let runtime = try OnnxRuntime.open()
let session = try Session(runtime, model: path)
let description = describe(session)
print("ONNX Runtime \(runtime.version), one thread; medians of \(rounds) alternating rounds")
for (batch, slots) in [(1, 2), (8, 1), (8, 2), (8, 16), (16, 2)] {
    let batcher = try VoiceBatcher(
        session: session, description: description, maximumVoices: batch, maximumBatch: batch,
        maximumSlots: slots)
    let bare = try bind(session, description, batch: batch, slots: slots)
    let voices = Array(0..<batch)
    for lane in 0..<batch {
        for k in 0..<slots { unsafe batcher.pitch(lane: lane, slots: slots)[k] = 220 }
    }
    let clock = ContinuousClock()
    let runs = 5
    var ours: [Double] = []
    var floors: [Double] = []
    for round in 0..<rounds + 5 {
        let floor = Double(try bare.bareNanoseconds(runs)) / Double(runs)
        let start = clock.now
        for _ in 0..<runs { try batcher.run(voices: voices.span, slots: slots) }
        let spent = start.duration(to: clock.now).components
        if round < 5 { continue }  // warm-up
        floors.append(floor)
        ours.append((Double(spent.seconds) * 1e9 + Double(spent.attoseconds) / 1e9) / Double(runs))
    }
    let overhead = median(zip(ours, floors).map { $0 / $1 - 1 })
    let perVoice = median(ours) / Double(batch) * 2048 / Double(slots * description.slotSamples) / 1e6
    func rounded(_ value: Double, _ digits: Double) -> Double { (value * digits).rounded() / digits }
    print(
        "batch \(batch), \(slots * description.slotSamples)-sample slices: \(rounded(median(ours) / 1e6, 1e4)) ms, "
            + "bare \(rounded(median(floors) / 1e6, 1e4)) ms, overhead \(rounded(overhead * 100, 10)) %, "
            + "\(rounded(perVoice, 1e3)) ms per voice and 2048 samples")
}
