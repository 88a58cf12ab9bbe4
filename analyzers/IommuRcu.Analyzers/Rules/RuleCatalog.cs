// All rules that exist, and the descriptors that they report.
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Rules.Blocking;
using IommuRcu.Analyzers.Rules.Callbacks;
using IommuRcu.Analyzers.Rules.Contracts;
using IommuRcu.Analyzers.Rules.Guards;
using IommuRcu.Analyzers.Rules.Reclaim;
using IommuRcu.Analyzers.Rules.Walks;
using IommuRcu.Analyzers.Rules.Writers;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules;

/// <summary>The rules of the host analyzer.</summary>
internal static class RuleCatalog
{
    /// <summary>Gets every rule.</summary>
    public static ImmutableArray<Rule> All { get; } = ImmutableArray.Create<Rule>(
        new WalkOutsideReadSection(),
        new RcuPointerReadPlainly(),
        new RcuPointerWrittenPlainly(),
        new ProtectedValueEscapes(),
        new ProtectedValueUsedAfterSection(),
        new ForgedGuard(),
        new AssertionContradictsSection(),
        new ContractLostInDelegate(),
        new BoundSampledOutsideSection(),
        new GracePeriodWaitInSection(),
        new BlockingCallInSection(),
        new SuspensionInSection(),
        new UnboundedLoopInSection(),
        new AllocationInSection(),
        new UnknownDelegateInSection(),
        new LockInversion(),
        new GuardDiscarded(),
        new GuardWithoutUsing(),
        new SectionClosedTwice(),
        new SectionNotClosed(),
        new GuardCopied(),
        new GuardStoredOrReturned(),
        new GuardCrossesThreads(),
        new RedundantSection(),
        new TryEnterResultIgnored(),
        new DirectFree(),
        new ReclaimOrder(),
        new UsedAfterRetire(),
        new GatherNeverSynced(),
        new GatherUsedAfterSync(),
        new FreedToWrongAllocator(),
        new WaitForEveryItem(),
        new ReclaimCallbackBlocks(),
        new CapturingReclaimCallback(),
        new ReclaimCallbackThrows(),
        new DisposedWithoutBarrier(),
        new RetireAfterShutdown(),
        new UpdateWithoutWriterLock(),
        new NonAtomicEntryUpdate(),
        new PointerReadTwice(),
        new ProtectedPointerInPublicApi());

    /// <summary>Gets what the rules may report.</summary>
    public static ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = All.SelectMany(static r => r.Descriptors)
        .Concat(ContractChecks.Descriptors)
        .Append(Analyzers.Descriptors.ContractLineNotUnderstood)
        .Append(Analyzers.Descriptors.NotAnalysed)
        .Distinct()
        .ToImmutableArray();
}
