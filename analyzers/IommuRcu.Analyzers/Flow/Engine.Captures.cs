// The captures that the graph keeps parts of expressions in: of a value, or of a place that is assigned through.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private readonly Dictionary<int, IOperation> _captured = new();
    private readonly HashSet<int> _targetCaptures = new();

    // The conditions of branches by what they are in the source.
    private readonly Dictionary<SyntaxNode, IOperation> _branches = new();

    // A capture that is assigned through holds a place, not a value: making it reads nothing.
    private void FindTargetCaptures()
    {
        foreach (BasicBlock block in _body.Graph.Blocks)
        {
            for (int i = 0; i < block.Operations.Length; i++)
            {
                if (_trees?.OperationsOf(block.Ordinal)[i].IsKept != false)
                {
                    FindTargetCaptures(block.Operations[i]);
                }
            }

            if (block.BranchValue is { } value && (_trees is null || _trees.IsDecided(block.Ordinal) || _trees.BranchValueOf(block.Ordinal)!.IsKept))
            {
                FindTargetCaptures(value);
                if (block.ConditionKind != ControlFlowConditionKind.None)
                {
                    _branches[value.Syntax] = value;
                }
            }
        }
    }

    private void FindTargetCaptures(IOperation operation)
    {
        // The last part of a condition whose value is kept decides no branch of its own.
        if (operation is IFlowCaptureOperation { Value: { Type.SpecialType: SpecialType.System_Boolean, ConstantValue.HasValue: false } kept })
        {
            _branches[kept.Syntax] = kept;
        }

        IOperation? target = operation switch
        {
            IFlowCaptureOperation capture => Note(capture),
            IAssignmentOperation assignment => assignment.Target,
            IIncrementOrDecrementOperation increment => increment.Target,
            IArgumentOperation { Parameter.RefKind: RefKind.Ref or RefKind.Out } argument => argument.Value,
            _ => null,
        };
        if (target is IFlowCaptureReferenceOperation reference)
        {
            _targetCaptures.Add(reference.Id.GetHashCode());
        }

        foreach (IOperation child in operation.ChildOperations)
        {
            FindTargetCaptures(child);
        }

        IOperation? Note(IFlowCaptureOperation capture)
        {
            _captured[capture.Id.GetHashCode()] = capture.Value;
            return null;
        }
    }
}
