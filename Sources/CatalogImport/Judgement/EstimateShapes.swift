/// The shapes of a model with a figure in them, at any depth, that the service calls approximate: `ApproximateNumberOfMessages`.
///
/// Such a figure is true for its moment. It follows what clients take, and an operation that takes, such as `ReceiveMessage`, makes
/// nothing void: it is called all the time.
struct EstimateShapes {
    /// By a shape's name, the figure.
    private let figures: [String: String]

    init(_ model: ServiceModel) {
        var found: [String: String] = [:]
        for (name, shape) in model.shapes {
            var names = shape.members.filter { model.isNumber($0.shape) }.map(\.name)
            // A map's keys are the names of what it holds.
            if case .map = shape.kind, let keys = shape.elements.first { names += model.shapes[keys]?.values ?? [] }
            found[name] = names.first { Words($0).all.starts(with: ["approximate"]) }
        }
        figures = Containment(model).spread(found)
    }

    /// The approximate figure in an operation's output; nil without one.
    func figure(inOutputOf operation: ServiceModel.Operation) -> String? { operation.output.flatMap { figures[$0] } }
}
