// NeuralSynth
