// IRCU011: makes a walk a delegate, whose callers cannot know that it needs a section.
using System;
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.DelegatedCounters;

class Counter
{
    [RequiresReadLock(DomainType = typeof(Rcu))]
    public int Count() => 1;

    public Func<int> AsDelegate() => Count;
}
